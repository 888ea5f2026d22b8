// Runs wrappers around models: reads jobs from a JSON file, writes answers.json beside it.
//
// A file of this folder has a function for each wrapper: of TensorFlow.js, the tensors that it takes, by name, and its
// models, by the keys of their signatures. It returns tensors by name, and does what the wrapper in its `[wrapper]`
// source does, on TensorFlow.js' plain backend.

'use strict';

const fs = require('fs');
const path = require('path');

const [, , library, jobs] = process.argv;
const say = console.error;
console.warn = console.log = console.info = () => {};
const tf = require(library);

const WRAPPERS = {};
for (const file of ['tfjs-models', 'human', 'face-api', 'others']) {
  for (const [name, wrapper] of Object.entries(require(`./${file}.js`))) WRAPPERS[`${file}/${name}`] = wrapper;
}

const loaded = new Map();

async function load(entry) {
  if (!loaded.has(entry)) {
    const json = JSON.parse(fs.readFileSync(entry));
    const shards = json.weightsManifest.flatMap(({paths}) => paths).map((name) =>
      fs.readFileSync(path.join(path.dirname(entry), name)));
    const content = new Uint8Array(Buffer.concat(shards)).buffer;
    const weights = async (manifest) => [tf.io.getWeightSpecs(manifest), content];
    loaded.set(entry, await tf.loadGraphModel({load: () => tf.io.getModelArtifactsForJSON(json, weights)}));
  }
  return loaded.get(entry);
}

// A model as a function of tensors by name, or of one tensor; it returns tensors by name.
async function callable({entry, inputs, outputs}) {
  const model = await load(entry);
  const names = Object.keys(outputs);
  return (given) => {
    const feeds = given instanceof tf.Tensor ? {[Object.keys(inputs)[0]]: given} : given;
    const results = [model.execute(feeds, names)].flat();
    return Object.fromEntries(names.map((name, at) => [name, results[at]]));
  };
}

async function answer({wrapper, size, inputs, models, labels}) {
  const given = {labels};
  for (const [key, model] of Object.entries(models)) given[key] = await callable(model);
  tf.engine().startScope();
  try {
    const tensors = Object.fromEntries(Object.entries(inputs).map(([name, {values, shape, dtype}]) =>
      [name, tf.tensor(values, shape, dtype)]));
    const outputs = await WRAPPERS[wrapper](tf, tensors, given);
    const shown = {};
    for (const [name, tensor] of Object.entries(outputs)) {
      shown[name] = {dtype: tensor.dtype, shape: tensor.shape, values: Array.from(await tensor.data())};
    }
    return {wrapper, size, outputs: shown};
  } catch (error) {
    return {wrapper, size, error: String(error?.stack ?? error)};
  } finally {
    tf.engine().endScope();
  }
}

async function main() {
  await tf.setBackend('cpu');
  const answers = [];
  for (const job of JSON.parse(fs.readFileSync(jobs))) answers.push(await answer(job));
  fs.writeFileSync(path.join(path.dirname(jobs), 'answers.json'), JSON.stringify(answers));
}

main().catch((error) => {
  say(error);
  process.exit(1);
});
