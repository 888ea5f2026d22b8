// TensorFlow.js, the program of javascript.py: reads questions from standard input, answers on standard output.
//
// A frame is 8 bytes of length, then a message: 4 bytes of length, JSON, and the tensors' bytes one
// after the other. All numbers are little-endian. In the JSON a tensor is {name, dtype, shape, size},
// size in bytes; a string is a uint32 length and its bytes.

'use strict';

const fs = require('fs');
const path = require('path');
const zlib = require('zlib');

const STEPS = require('./steps.js');

for (const say of ['debug', 'info', 'log', 'warn', 'error']) {
  console[say] = () => {}; // standard output is for answers
}
const tf = require(process.argv[2]);

const MODELS_KEPT = Number(process.argv[3]);
const models = new Map(); // by entry and time of change; the one used last comes last

// Frames

function read(size) {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size;) {
    const count = fs.readSync(0, bytes, at, size - at, null);
    if (count === 0) process.exit(0);
    at += count;
  }
  return bytes;
}

function write(bytes) {
  for (let at = 0; at < bytes.length;) at += fs.writeSync(1, bytes, at);
}

function readMessage() {
  const frame = read(Number(read(8).readBigUInt64LE()));
  const start = 4 + frame.readUInt32LE();
  return {...JSON.parse(frame.subarray(4, start)), payload: frame.subarray(start)};
}

function writeMessage(message, payload = []) {
  const json = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(12);
  const size = payload.reduce((sum, bytes) => sum + bytes.length, 4 + json.length);
  head.writeBigUInt64LE(BigInt(size));
  head.writeUInt32LE(json.length, 8);
  [head, json, ...payload].forEach(write);
}

// Tensors

const ARRAYS = {float32: Float32Array, complex64: Float32Array, int32: Int32Array, bool: Uint8Array};

function parseStrings(bytes) {
  const strings = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32LE(at);
    strings.push(new Uint8Array(bytes.subarray(at + 4, end)));
    at = end;
  }
  return strings;
}

function showStrings(strings) {
  return Buffer.concat(strings.flatMap((string) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(string.length);
    return [length, string];
  }));
}

function parseTensor({dtype, shape}, bytes) {
  if (dtype === 'string') return tf.tensor(parseStrings(bytes), shape, dtype);
  const values = new ARRAYS[dtype](new Uint8Array(bytes).buffer);
  if (dtype !== 'complex64') return tf.tensor(values, shape, dtype);
  const part = (first) => tf.tensor(values.filter((_, at) => at % 2 === first), shape);
  return tf.complex(part(0), part(1));
}

async function showTensor(tensor) {
  if (tensor.dtype === 'string') return showStrings(await tensor.bytes());
  const values = ARRAYS[tensor.dtype].from(await tensor.data());
  return Buffer.from(values.buffer);
}

function parseFeeds(feeds, payload) {
  let at = 0;
  return Object.fromEntries(feeds.map((feed) => {
    at += feed.size;
    return [feed.name, parseTensor(feed, payload.subarray(at - feed.size, at))];
  }));
}

// Models

function readFile(file) {
  const bytes = fs.readFileSync(file);
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? zlib.gunzipSync(bytes) : bytes;
}

function readWeights(folder, manifest) {
  const shards = manifest.flatMap((group) => group.paths).map((shard) => readFile(path.join(folder, shard)));
  return [tf.io.getWeightSpecs(manifest), new Uint8Array(Buffer.concat(shards)).buffer]; // version 3 takes no list
}

function isLayersModel({format, modelTopology}) {
  return format ? format === 'layers-model' : !modelTopology?.node;
}

async function load(entry) {
  const json = JSON.parse(readFile(entry));
  const weights = async (manifest) => readWeights(path.dirname(entry), manifest);
  const handler = {load: () => tf.io.getModelArtifactsForJSON(json, weights)};
  return isLayersModel(json) ? tf.loadLayersModel(handler) : tf.loadGraphModel(handler);
}

async function findModel(entry) {
  const key = `${entry} ${fs.statSync(entry).mtimeMs}`;
  const model = models.get(key) ?? await load(entry);
  models.delete(key);
  models.set(key, model);
  for (const [old, unused] of [...models].slice(0, -MODELS_KEPT)) {
    unused.dispose();
    models.delete(old);
  }
  return model;
}

const isGraphModel = (model) => model instanceof tf.GraphModel;

// A layers model names its inputs and outputs after their layers; `inputNames` is empty in a Sequential.
const layerNames = (tensors) => tensors.map(({sourceLayer}) => sourceLayer.name);
const inputNames = (model) => isGraphModel(model) ? model.inputNodes : layerNames(model.inputs);
const outputNames = (model) => isGraphModel(model) ? model.outputNodes : layerNames(model.outputs);

// The tensor behind each output's name. If two outputs are ports of one node, `outputNodes` names one of them
// twice, but a signature does not.
function outputTensors(model) {
  const signature = isGraphModel(model) && model.modelSignature?.outputs;
  if (signature) return new Map(Object.entries(signature).map(([key, {name}]) => [key, name ?? key]));
  return new Map(outputNames(model).map((name) => [name, name]));
}

function runGraph(model, feeds, tensors) {
  try {
    return model.execute(feeds, tensors);
  } catch (error) {
    if (!error.message.includes('model.executeAsync()')) throw error; // TensorFlow.js says so only when it runs
    return model.executeAsync(feeds, tensors);
  }
}

function runLayers(model, feeds, names) {
  const known = outputNames(model);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`The model has no output ${unknown}, only ${known.join(', ')}`);
  const lacking = inputNames(model).find((name) => !feeds[name]);
  if (lacking !== undefined) throw new Error(`The input ${lacking} has no value`);
  const results = [model.predictOnBatch(inputNames(model).map((name) => feeds[name]))].flat();
  return names.map((name) => results[known.indexOf(name)]);
}

// Verbs

function describe(model) {
  const show = (name, known) => ({name, dtype: known?.dtype ?? null, shape: known?.shape ?? null});
  const known = isGraphModel(model) ? model.outputs.map(({name}) => name) : outputNames(model);
  const outputs = [...outputTensors(model)].map(([key, tensor]) =>
    show(key, model.outputs[known.indexOf(tensor.replace(/:\d+$/, ''))]));
  return {inputs: inputNames(model).map((name, at) => show(name, model.inputs[at])), outputs};
}

async function run(model, {feeds, outputs, payload}) {
  const own = outputTensors(model);
  const names = outputs ?? [...own.keys()];
  const given = parseFeeds(feeds, payload);
  const tensors = names.map((name) => own.get(name) ?? name);
  const results = [await (isGraphModel(model) ? runGraph : runLayers)(model, given, tensors)].flat();
  const broken = results.find(({shape}) => shape.some((size) => !Number.isInteger(size)));
  if (broken) throw new Error(`it makes a tensor of shape [${broken.shape}]`); // a negative axis, in some ops
  const contents = await Promise.all(results.map(showTensor));
  const shown = results.map(({dtype, shape}, at) => ({name: names[at], dtype, shape, size: contents[at].length}));
  return {tensors: shown, contents};
}

// Image files are decoded by a package that only they need.
const loadCanvas = (decoder) => {
  try {
    return require(decoder ?? require.resolve('@napi-rs/canvas', {paths: [process.argv[2]]}));
  } catch {
    return null;
  }
};

async function step(_, {step: asked, feeds, decoder, payload}) {
  const given = parseFeeds(feeds, payload);
  const {like, ...values} = given;
  const canvas = asked.op === 'decode_image' ? loadCanvas(decoder) : null;
  const results = [await STEPS[asked.op](tf, asked, Object.values(values), canvas, like)].flat();
  const contents = await Promise.all(results.map(showTensor));
  const shown = results.map(({dtype, shape}, at) => ({name: String(at), dtype, shape, size: contents[at].length}));
  return {tensors: shown, contents};
}

const hello = () => ({version: tf.version.tfjs, tensors: tf.memory().numTensors});

const VERBS = {describe, hello, run, step};

async function answer(question) {
  const model = question.entry && await findModel(question.entry);
  tf.engine().startScope(); // frees the tensors of a run; the weights are older and stay
  try {
    const {contents, ...said} = await VERBS[question.verb](model, question);
    return [said, contents];
  } finally {
    tf.engine().endScope();
  }
}

async function main() {
  await tf.setBackend('cpu');
  for (;;) {
    const reply = answer(readMessage()).catch((error) => [{error: String(error?.message ?? error)}]);
    writeMessage(...await reply);
  }
}

// If an op fails, TensorFlow.js leaves those behind that it waits for. The answer is the first failure; Node.js would end
// the process for a later one.
process.on('unhandledRejection', () => {});

main().catch((error) => {
  process.stderr.write(`${error?.stack ?? error}\n`);
  process.exit(1);
});
