// Makes layers models as a program in JavaScript would, and saves them: node layers.js NODE_MODULES FOLDER
//
// Weights are drawn from a seed, so the same files come out each time.

'use strict';

const fs = require('fs');
const path = require('path');

const [modules, folder] = process.argv.slice(2);
for (const say of ['debug', 'info', 'log', 'warn']) console[say] = () => {};
const tf = require(require.resolve('@tensorflow/tfjs', {paths: [modules]}));
const {layers} = tf;

const dense = (units) => layers.dense({units});

// Branches of one model, by the shape of their input: output: [layer, its configuration]. Left out are CenterCrop and
// CategoryEncoding, which change the shape of what they are given: TensorFlow.js then saves the wrong one.
const BRANCHES = {
  image: [[9, 8, 4], {
    conv2d: ['conv2d', {filters: 3, kernelSize: [3, 2], strides: 2, padding: 'same', activation: 'relu'}],
    conv2d_dilated: ['conv2d', {filters: 2, kernelSize: 3, dilationRate: 2, useBias: false, activation: 'elu'}],
    conv2d_transpose: ['conv2dTranspose', {filters: 3, kernelSize: 3, strides: 2, padding: 'same'}],
    separable_conv2d: ['separableConv2d', {filters: 3, kernelSize: 3}],
    depthwise_conv2d: ['depthwiseConv2d', {kernelSize: 3, depthMultiplier: 2, padding: 'same'}],
    cropping2d: ['cropping2D', {cropping: [[1, 2], [0, 3]]}],
    up_sampling2d: ['upSampling2d', {size: [2, 3]}],
    up_sampling2d_bilinear: ['upSampling2d', {size: [2, 2], interpolation: 'bilinear'}],
    zero_padding2d: ['zeroPadding2d', {padding: [[1, 0], [2, 3]]}],
    max_pooling2d: ['maxPooling2d', {poolSize: 3, strides: 2, padding: 'same'}],
    average_pooling2d: ['averagePooling2d', {poolSize: [2, 3]}],
    global_max_pooling2d: ['globalMaxPooling2d', {}],
    global_average_pooling2d: ['globalAveragePooling2d', {}],
    batch_normalization: ['batchNormalization', {epsilon: 0.01}],
    layer_normalization: ['layerNormalization', {axis: -1}],
    p_re_lu: ['prelu', {sharedAxes: [1, 2]}],
    flatten: ['flatten', {}],
    permute: ['permute', {dims: [3, 1, 2]}],
    reshape: ['reshape', {targetShape: [8, -1]}],
    dropout: ['dropout', {rate: 0.5}],
    gaussian_noise: ['gaussianNoise', {stddev: 1}],
    gaussian_dropout: ['gaussianDropout', {rate: 0.5}],
    alpha_dropout: ['alphaDropout', {rate: 0.5}],
    rescaling: ['rescaling', {scale: 0.5, offset: -1}],
  }],
  volume: [[6, 5, 4, 2], {
    conv3d: ['conv3d', {filters: 2, kernelSize: 2, strides: 2, padding: 'same', activation: 'tanh'}],
    conv3d_transpose: ['conv3dTranspose', {filters: 2, kernelSize: 2, strides: 2}],
    max_pooling3d: ['maxPooling3d', {poolSize: 2}],
    average_pooling3d: ['averagePooling3d', {poolSize: 2, padding: 'same'}],
    conv_lstm2d: ['convLstm2d', {filters: 2, kernelSize: 2}],
  }],
  series: [[7, 4], {
    conv1d: ['conv1d', {filters: 3, kernelSize: 2, padding: 'same', dilationRate: 2}],
    max_pooling1d: ['maxPooling1d', {poolSize: 2}],
    average_pooling1d: ['averagePooling1d', {poolSize: 3, strides: 1, padding: 'same'}],
    global_max_pooling1d: ['globalMaxPooling1d', {}],
    global_average_pooling1d: ['globalAveragePooling1d', {}],
    simple_rnn: ['simpleRNN', {units: 3, returnSequences: true}],
    gru: ['gru', {units: 3, goBackwards: true}],
    lstm: ['lstm', {units: 3, recurrentActivation: 'sigmoid'}],
    rnn: ['rnn', {cell: layers.gruCell({units: 2})}],
    rnn_of_two: ['rnn', {cell: [layers.lstmCell({units: 2}), layers.simpleRNNCell({units: 3})]}],
    bidirectional: ['bidirectional', {layer: layers.lstm({units: 2, returnSequences: true}), mergeMode: 'concat'}],
    bidirectional_sum: ['bidirectional', {layer: layers.gru({units: 2}), mergeMode: 'sum'}],
    time_distributed: ['timeDistributed', {layer: dense(3)}],
    spatial_dropout1d: ['spatialDropout1d', {rate: 0.5}],
    masking: ['masking', {maskValue: 0}],
  }],
  vector: [[12], {
    leaky_re_lu: ['leakyReLU', {alpha: 0.1}],
    re_lu: ['reLU', {maxValue: 0.7}],
    elu: ['elu', {}],
    thresholded_re_lu: ['thresholdedReLU', {theta: 0.4}],
    softmax: ['softmax', {axis: -1}],
    repeat_vector: ['repeatVector', {n: 3}],
    activation: ['activation', {activation: 'softplus'}],
    ...Object.fromEntries([
      'elu', 'hardSigmoid', 'linear', 'relu', 'relu6', 'selu', 'sigmoid', 'softmax', 'softsign', 'tanh', 'swish', 'mish',
      'gelu', 'logSoftmax',
    ].map((activation) => [`dense_${activation}`, ['dense', {units: 3, activation}]])),
  }],
  tokens: [[5], {
    embedding: ['embedding', {inputDim: 3, outputDim: 2}],
  }],
};

const MERGES = {
  add: [], average: [], concatenate: [{axis: 1}], maximum: [], minimum: [], multiply: [], dot: [{axes: 1, normalize: true}],
};

function everyLayer() {
  const inputs = [];
  const outputs = [];
  for (const [name, [shape, branches]] of Object.entries(BRANCHES)) {
    inputs.push(tf.input({name, shape}));
    for (const [output, [layer, config]] of Object.entries(branches)) {
      outputs.push(layers[layer]({name: output, ...config}).apply(inputs.at(-1)));
    }
  }
  const [vector, tokens] = inputs.slice(-2);
  const pair = [vector, dense(12).apply(vector)];
  for (const [merge, [config]] of Object.entries(MERGES)) {
    outputs.push(layers[merge]({name: merge, ...config}).apply(pair));
  }
  // A mask that travels from layer to layer, and a layer that stands in two places.
  const embedded = layers.embedding({inputDim: 3, outputDim: 4, maskZero: true}).apply(tokens);
  const read = layers.lstm({units: 4, returnSequences: true}).apply(embedded);
  const twice = layers.dense({units: 4, name: 'twice'});
  outputs.push(twice.apply(twice.apply(layers.gru({units: 4}).apply(read))));
  return tf.model({inputs, outputs});
}

// A model in a model, called twice.
function nested() {
  const inner = tf.sequential({layers: [layers.dense({units: 3, inputShape: [3], activation: 'tanh'}), dense(3)]});
  const input = tf.input({shape: [3]});
  const outer = tf.model({inputs: input, outputs: dense(3).apply(inner.apply(inner.apply(input)))});
  return tf.sequential({layers: [layers.dense({units: 3, inputShape: [2]}), outer]});
}

function draw(model) {
  model.setWeights(model.getWeights().map((weight, at) => tf.randomUniform(weight.shape, 0.05, 0.9, weight.dtype, at + 1)
    .sub(model.weights[at].name.includes('variance') ? 0 : 0.45)));
}

async function save(name, model) {
  draw(model);
  await model.save(tf.io.withSaveHandler(async ({modelTopology, weightSpecs, weightData, ...rest}) => {
    const place = path.join(folder, name);
    const {format, generatedBy, convertedBy} = rest;
    const weightsManifest = [{paths: ['weights.bin'], weights: weightSpecs}];
    fs.mkdirSync(place, {recursive: true});
    fs.writeFileSync(path.join(place, 'weights.bin'), Buffer.from(weightData));
    fs.writeFileSync(
      path.join(place, 'model.json'), JSON.stringify({modelTopology, weightsManifest, format, generatedBy, convertedBy}));
    return {};
  }));
}

(async () => {
  const models = {every_layer: everyLayer(), nested: nested()};
  for (const [name, model] of Object.entries(models)) await save(name, model);
})();
