// The steps of composed signatures, by TensorFlow.js' own functions: what a bundle's steps are compared with.
//
// Each function takes TensorFlow.js, the step as the manifest has it, and tensors; it returns a tensor, or a list. Where
// TensorFlow.js has no function of the name, the code is that of the wrappers around models: the sources stand beside it.

'use strict';

// Images

// The decoder is Skia, as in Chrome. `canvas` is the package @napi-rs/canvas.
async function decodeImage(tf, {channels}, [encoded], canvas) {
  if (!canvas) throw new Error('to decode images, install @napi-rs/canvas beside @tensorflow/tfjs');
  const [bytes] = await encoded.bytes();
  const image = await canvas.loadImage(Buffer.from(bytes));
  const context = canvas.createCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  const {data, width, height} = context.getImageData(0, 0, image.width, image.height);
  return tf.expandDims(tf.browser.fromPixels({data: new Uint8Array(data.buffer), width, height}, channels), 0);
}

function longest([, height, width], side) {
  const ratio = side / Math.max(height, width);
  return [Math.round(height * ratio), Math.round(width * ratio)];
}

function resize(method) {
  return (tf, step, [images], canvas, like) => {
    const size = step.size ?? (like ? like.shape.slice(1, 3) : longest(images.shape, step.longest));
    return tf.image[method](images, size, step.align_corners, step.half_pixel_centers);
  };
}

const ROUND = {round: Math.round, floor: Math.floor, none: (pixels) => pixels};

// The border before and after along one axis. `padAndResizeTo` of posenet and body-pix rounds each half, human floors
// each, `padToSquare` of face-api rounds the end; `padRoi` of tfjs-models/shared does not round.
function ends({sides, rounding}, lack) {
  if (sides === 'both' && rounding === 'rest') {
    const after = Math.round(lack / 2);
    return [Math.round(lack) - after, after];
  }
  const round = ROUND[rounding] ?? Math.round;
  if (sides === 'both') return [round(lack * 0.5), round(lack * 0.5)];
  return sides === 'end' ? [0, round(lack)] : [round(lack), 0];
}

function letterbox(tf, step, [images]) {
  const [, height, width] = images.shape;
  const ratio = step.size[1] / step.size[0];
  const [top, bottom] = ends(step, Math.max(width * (1 / ratio) - height, 0));
  const [left, right] = ends(step, Math.max(height * ratio - width, 0));
  const [tall, wide] = [height + top + bottom, width + left + right];
  const border = tf.tensor1d([top / tall, left / wide, bottom / tall, right / wide]);
  if (step.rounding === 'none') {
    const matrix = [wide / step.size[1], 0, -left, 0, tall / step.size[0], -top, 0, 0];
    const floats = tf.cast(images, 'float32');
    const sampled = tf.image.transform(floats, tf.tensor2d([matrix]), 'bilinear', 'constant', step.value, step.size);
    return [sampled, border];
  }
  const padded = tf.pad(images, [[0, 0], [top, bottom], [left, right], [0, 0]], step.value);
  return [tf.image.resizeBilinear(padded, step.size, step.align_corners, step.half_pixel_centers), border];
}

function centerCrop(tf, step, [images]) {
  const [batch, height, width, channels] = images.shape;
  const side = Math.min(height, width);
  const begin = [0, Math.floor((height - side) / 2), Math.floor((width - side) / 2), 0];
  return tf.slice(images, begin, [batch, side, side, channels]);
}

// tfjs-models/pose-detection/src/movenet/detector.ts, many poses
function padToMultiple(tf, {multiple, value}, [images]) {
  const more = (side) => Math.ceil(side / multiple) * multiple - side;
  const [, height, width] = images.shape;
  return tf.pad(images, [[0, 0], [0, more(height)], [0, more(width)], [0, 0]], value);
}

function cropAndResize(tf, step, [images, given, numbers]) {
  const boxes = step.boxes ? tf.tensor2d(step.boxes) : given;
  const of = numbers ?? tf.zeros([boxes.shape[0]], 'int32');
  return tf.image.cropAndResize(images, boxes, of, step.size, step.method, step.extrapolation_value);
}

function transform(tf, step, [images, matrices]) {
  const given = step.matrix ? tf.tensor2d([step.matrix]) : matrices;
  const size = step.size ?? images.shape.slice(1, 3);
  return tf.image.transform(images, given, step.interpolation, step.fill_mode, step.fill_value, size);
}

const grayscale = (tf, {weights}, [images]) => tf.sum(tf.mul(images, tf.tensor1d(weights)), -1, true);

// Boxes

function nonMaxSuppression(tf, step, [boxes, scores]) {
  const {max_output_size: most, iou_threshold: iou, score_threshold: least, pad} = step;
  if (!pad) return tf.image.nonMaxSuppression(boxes, scores, most, iou, least ?? -Infinity);
  const found = tf.image.nonMaxSuppressionPadded(boxes, scores, most, iou, least ?? -Infinity, true);
  return [found.selectedIndices, found.validOutputs];
}

// tfjs-models/shared/calculators/create_ssd_anchors.ts: a row with the center of each anchor, then its width and height.
function anchorsOf({input_size: input, strides, anchors, sizes}) {
  return strides.flatMap((stride, layer) => {
    const side = Math.ceil(input / stride);
    const own = sizes.length ? sizes[layer] : Array(anchors[layer]).fill([1, 1]);
    const along = [...Array(side).keys()].map((at) => (at + 0.5) / side);
    return along.flatMap((y) => along.flatMap((x) => own.map((size) => [x, y, ...size])));
  });
}

// tfjs-models/shared/calculators/tensors_to_detections.ts
function decodeBoxes(tf, step, [raw]) {
  const rows = raw.rank === 3 ? tf.squeeze(raw, [0]) : raw;
  const anchors = tf.tensor2d(anchorsOf(step));
  const columns = (of, first) => tf.slice(of, [0, first], [-1, 1]);
  const [x, y, w, h] = [0, 1, 2, 3].map((column) => columns(anchors, column));
  const scale = step.scale ?? step.input_size;
  const [atX, atY] = step.order === 'xywh' ? [0, 1] : [1, 0];
  const place = (column, size, center) => tf.add(tf.mul(tf.div(columns(rows, column), scale), size), center);
  const [xCenter, yCenter] = [place(step.first + atX, w, x), place(step.first + atY, h, y)];
  const extent = (column, size) => {
    const scaled = tf.div(columns(rows, step.first + 2 + column), step.size_scale ?? scale);
    return tf.mul(step.exponential ? tf.exp(scaled) : scaled, size);
  };
  const [width, height] = [extent(atX, w), extent(atY, h)];
  const corner = (op) => [tf[op](yCenter, tf.div(height, 2)), tf[op](xCenter, tf.div(width, 2))];
  const boxes = tf.concat([...corner('sub'), ...corner('add')], 1);
  if (!step.points) return boxes;
  const points = [...Array(step.points).keys()].map((point) => {
    const first = step.first + 4 + 2 * point;
    return tf.concat([place(first + atX, w, x), place(first + atY, h, y)], 1);
  });
  return [boxes, tf.stack(points, 1)];
}

// tfjs-models/shared/calculators/remove_detection_letterbox.ts
function unletterbox(tf, step, [places, border]) {
  const [top, left, bottom, right] = border.dataSync();
  const [starts, spans] = [[left, top], [1 - left - right, 1 - top - bottom]];
  const ordered = (pair) => places.rank === 3 ? pair : [pair[1], pair[0], pair[1], pair[0]];
  return tf.div(tf.sub(places, tf.tensor1d(ordered(starts))), tf.tensor1d(ordered(spans)));
}

// Numbers

const arithmetic = (op) => (tf, {by}, [one, other]) =>
  tf[op](one, by ? tf.tensor(by.length === 1 ? by[0] : by, undefined, one.dtype) : other);
const unary = (op) => (tf, step, [value]) => tf[op](value);
const reduce = (op) => (tf, {axis, keep_dims: keep}, [value]) => tf[op](value, axis ?? undefined, keep);
const cast = (tf, {dtype}, [value]) => tf.cast(value, dtype === 'uint8' ? 'int32' : dtype);

// tfjs-models/speech-commands/src/browser_fft_utils.ts, `normalize`
function standardize(tf, {axis, epsilon}, [value]) {
  const {mean, variance} = tf.moments(value, axis ?? undefined, true);
  return tf.div(tf.sub(value, mean), tf.add(tf.sqrt(variance), epsilon));
}

const l2Normalize = (tf, {axis, epsilon}, [value]) =>
  tf.div(value, tf.add(tf.norm(value, 'euclidean', axis ?? undefined, true), epsilon));

const labelled = (tf, labels, indices) =>
  tf.tensor([...indices.dataSync()].map((at) => labels[at]), indices.shape, 'string');

function topK(tf, {k, labels}, [value]) {
  const {values, indices} = tf.topk(value, k, true);
  return [values, labels ? labelled(tf, labels, indices) : indices];
}

// Shapes

const take = (tf, {index, axis}, [value]) => {
  const at = index < 0 ? index + value.shape.at(axis) : index;
  return tf.gather(value, tf.scalar(at, 'int32'), axis < 0 ? axis + value.rank : axis);
};

module.exports = {
  decode_image: decodeImage,
  resize_bilinear: resize('resizeBilinear'),
  resize_nearest_neighbor: resize('resizeNearestNeighbor'),
  letterbox,
  center_crop: centerCrop,
  pad_to_multiple: padToMultiple,
  crop_and_resize: cropAndResize,
  transform,
  grayscale,
  non_max_suppression: nonMaxSuppression,
  decode_boxes: decodeBoxes,
  unletterbox,
  ...Object.fromEntries(['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'greater'].map((op) => [op, arithmetic(op)])),
  ...Object.fromEntries(
    ['exp', 'floor', 'round', 'sqrt', 'square', 'neg', 'abs', 'relu', 'sigmoid', 'softmax'].map((op) => [op, unary(op)])),
  log_softmax: unary('logSoftmax'),
  ...Object.fromEntries(['max', 'min', 'mean', 'sum'].map((op) => [`reduce_${op}`, reduce(op)])),
  cast,
  clip: (tf, {min, max}, [value]) => tf.clipByValue(value, min, max),
  standardize,
  l2_normalize: l2Normalize,
  arg_max: (tf, {axis}, [value]) => tf.argMax(value, axis),
  top_k: topK,
  labels: (tf, {labels}, [indices]) => labelled(tf, labels, indices),
  reshape: (tf, {shape}, [value]) => tf.reshape(value, shape),
  shape: (tf, step, [value]) => tf.tensor1d(value.shape, 'int32'),
  transpose: (tf, {perm}, [value]) => tf.transpose(value, perm),
  squeeze: (tf, {axis}, [value]) => tf.squeeze(value, axis),
  expand_dims: (tf, {axis}, [value]) => tf.expandDims(value, axis),
  concat: (tf, {axis}, values) => tf.concat(values, axis),
  stack: (tf, {axis}, values) => tf.stack(values, axis),
  slice: (tf, {begin, size}, [value]) => tf.slice(value, begin, size),
  take,
  gather: (tf, {axis}, [value, indices]) => tf.gather(value, indices, axis),
  pad: (tf, {paddings, value: filler}, [value]) => tf.pad(value, paddings, filler),
  flip: (tf, {axis}, [value]) => tf.reverse(value, axis),
};
