"""What a source holds, whatever it is: a model of TensorFlow.js, a SavedModel, a frozen graph."""
