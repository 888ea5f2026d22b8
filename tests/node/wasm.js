// TensorFlow.js on its WASM backend, in place of the plain one: what most browsers run.

'use strict';

const path = require('path');
const tf = require('@tensorflow/tfjs');
const {setWasmPaths} = require('@tensorflow/tfjs-backend-wasm');

setWasmPaths(path.join(path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), path.sep));

module.exports = {...tf, setBackend: () => tf.setBackend('wasm')};
