"""Programs that bundler starts in processes of their own: TensorFlow, and TensorFlow.js in Node."""
