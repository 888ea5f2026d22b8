// Makes the models of cases.json with TensorFlow.js, saves them as its users do, loads what was saved, and runs both:
// node javascript.js NODE_MODULES FOLDER
//
// FOLDER/cases.json has the models and their inputs (see programs.py). Each model is written to a folder of its own;
// FOLDER/javascript/answers.json has the names and values of the outputs, or an error, and layers.json beside it the names
// of all layers that TensorFlow.js has.

'use strict';

const fs = require('fs');
const path = require('path');

const [modules, folder] = process.argv.slice(2);
for (const say of ['debug', 'info', 'log', 'warn']) console[say] = () => {};
const tf = require(require.resolve('@tensorflow/tfjs', {paths: [modules]}));

// Layers and models

const FACTORIES = Object.fromEntries(Object.entries(tf.layers).map(([name, make]) => [name.toLowerCase(), make]));
const camel = (name) => (name === 'gelu_new' ? name : name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase()));

function isModel({kind}) {
  return kind === 'Sequential' || kind === 'Functional';
}

function makePart(part) {
  if (part.kind === 'Sequential') return makeStack(part);
  if (part.kind === 'Functional') return makeNetwork(part);
  return makeLayer(part);
}

function makeLayer({kind, options}, more = {}) {
  const factory = FACTORIES[kind.toLowerCase()];
  if (factory === undefined) throw new Error(`tf.layers has no ${kind}`);
  const given = Object.entries(options).map(([key, value]) => [camel(key), makeValue(value)]);
  const layer = factory({...Object.fromEntries(given), ...more});
  const kept = layer.getConfig();
  for (const [key] of given) {
    if (kept[key] === undefined) throw new Error(`${kind} does not keep the option ${key}`);
  }
  return layer;
}

function makeValue(value) {
  if (Array.isArray(value)) return value.map(makeValue);
  if (typeof value === 'string') return camel(value);
  return value !== null && typeof value === 'object' ? makePart(value) : value;
}

function inputShape({shape, batch, fixed}) {
  return [fixed ? batch : null, ...shape];
}

// The first layer of a Sequential brings the input's shape, unless it is a model, which has one.
function makeStack({layers: [first, ...others], input}) {
  const more = input === null ? {} : {batchInputShape: inputShape(input), dtype: input.dtype};
  const begin = isModel(first) ? makePart(first) : makeLayer(first, more);
  return tf.sequential({layers: [begin, ...others.map(makePart)]});
}

function makeNetwork({inputs, layers, calls, outputs}) {
  const tensors = Object.fromEntries(Object.entries(inputs).map(([name, given]) =>
    [name, tf.input({name, batchShape: inputShape(given), dtype: given.dtype})]));
  const find = (value) => (Array.isArray(value) ? value.map(find) : typeof value === 'string' ? tensors[value] : value);
  const made = Object.fromEntries(Object.entries(layers).map(([name, part]) => [name, makePart(part)]));
  for (const call of calls) {
    const given = Object.entries(call.arguments).map(([key, value]) => [camel(key), find(value)]);
    const found = made[call.layer].apply(find(call.tensors[0]), Object.fromEntries(given));
    const single = call.results.length === 1;
    call.results.forEach((name, at) => { tensors[name] = single ? found : found[at]; });
  }
  return tf.model({inputs: find(Object.keys(inputs)), outputs: outputs.flatMap(find)});
}

// All layers that a file may name.
function* registered() {
  for (const [name, [layer]] of Object.entries(tf.serialization.SerializationMap.getMap().classNameMap)) {
    if (layer.fromConfig !== undefined && layer.prototype instanceof tf.layers.Layer) yield name;
  }
}

// Save, load, run

function draw(model) {
  model.setWeights(model.weights.map(({name, shape}, at) =>
    tf.randomUniform(shape, name.includes('variance') ? 0.1 : -0.7, 0.7, 'float32', at + 1)));
}

async function save(model, place) {
  let saved;
  await model.save(tf.io.withSaveHandler(async (artifacts) => {
    const {modelTopology, weightSpecs, weightData, format, generatedBy, convertedBy} = saved = artifacts;
    const weightsManifest = [{paths: ['weights.bin'], weights: weightSpecs}];
    fs.mkdirSync(place, {recursive: true});
    fs.writeFileSync(path.join(place, 'weights.bin'), Buffer.from(weightData));
    fs.writeFileSync(
      path.join(place, 'model.json'), JSON.stringify({modelTopology, weightsManifest, format, generatedBy, convertedBy}));
    return {};
  }));
  return saved;
}

function parse({dtype, shape, values}) {
  return tf.tensor(values, shape, dtype);
}

function show(name, tensor) {
  const {dtype, shape} = tensor;
  const values = tensor.dataSync();
  return {name, dtype, shape, data: Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64')};
}

// `reloads` says what becomes of the model when TensorFlow.js loads its own file: '' if it is the same.
async function answer({id, model: described, feeds}) {
  tf.disposeVariables();
  const model = makePart(described);
  draw(model);
  const saved = await save(model, path.join(folder, 'javascript', id));
  const outputs = run(model, feeds);
  const [again, reloads] = await reloaded(saved, feeds);
  const same = JSON.stringify(again) === JSON.stringify(outputs);
  return {inputs: model.inputNames, outputs: again ?? outputs, reloads: same ? '' : reloads};
}

function run(model, feeds) {
  const given = feeds.map(parse);
  const outputs = [model.predict(given.length === 1 ? given[0] : given)].flat();
  return outputs.map((tensor, at) => show(model.outputNames[at], tensor));
}

async function reloaded(saved, feeds) {
  try {
    const modelTopology = JSON.parse(JSON.stringify(saved.modelTopology));
    const loaded = await tf.loadLayersModel({load: async () => ({...saved, modelTopology})});
    return [run(loaded, feeds), 'other numbers'];
  } catch (error) {
    return [undefined, String(error.message ?? error)];
  }
}

async function tried(asked) {
  try {
    return await answer(asked);
  } catch (error) {
    return {error: String(error.message ?? error)};
  }
}

(async () => {
  const answers = {};
  for (const asked of JSON.parse(fs.readFileSync(path.join(folder, 'cases.json')))) answers[asked.id] = await tried(asked);
  fs.mkdirSync(path.join(folder, 'javascript'), {recursive: true});
  fs.writeFileSync(path.join(folder, 'javascript', 'answers.json'), JSON.stringify(answers));
  fs.writeFileSync(path.join(folder, 'javascript', 'layers.json'), JSON.stringify([...registered()].sort()));
})();
