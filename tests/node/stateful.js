// Saves a model with stateful layers, and prints what it gives call by call: node stateful.js NODE_MODULES FOLDER

'use strict';

const fs = require('fs');
const path = require('path');

const [modules, folder] = process.argv.slice(2);
for (const say of ['debug', 'info', 'log', 'warn']) console[say] = () => {};
const tf = require(require.resolve('@tensorflow/tfjs', {paths: [modules]}));
const {layers} = tf;

const SHAPE = [2, 4, 3];
const model = tf.sequential({layers: [
  layers.lstm({units: 3, stateful: true, returnSequences: true, batchInputShape: SHAPE}),
  layers.bidirectional({layer: layers.gru({units: 2, stateful: true}), mergeMode: 'concat'}),
]});
const drawn = (shape, seed) => tf.randomUniform(shape, -0.9, 0.9, 'float32', seed);
model.setWeights(model.getWeights().map((weight, at) => drawn(weight.shape, at + 1)));

(async () => {
  await model.save(tf.io.withSaveHandler(async ({modelTopology, weightSpecs, weightData}) => {
    const weightsManifest = [{paths: ['weights.bin'], weights: weightSpecs}];
    fs.mkdirSync(folder, {recursive: true});
    fs.writeFileSync(path.join(folder, 'weights.bin'), Buffer.from(weightData));
    fs.writeFileSync(path.join(folder, 'model.json'), JSON.stringify({modelTopology, weightsManifest}));
    return {};
  }));
  const calls = [1, 2, 3].map((seed) => {
    const input = drawn(SHAPE, seed + 100);
    return {input: input.arraySync(), output: model.predict(input).arraySync()};
  });
  process.stdout.write(JSON.stringify(calls));
})();
