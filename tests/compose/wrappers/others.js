// Wrappers of nsfwjs, Teachable Machine, ml5, UpscalerJS and basic-pitch: see run.js.

'use strict';

function top(tf, scores, count, names) {
  const {values, indices} = tf.topk(scores, count);
  return {
    scores: values,
    names: tf.tensor2d([Array.from(indices.dataSync(), (at) => names[at])], [1, count], 'string'),
  };
}

const unit = (tf, image) => tf.div(tf.cast(image, 'float32'), 255);

function nsfwjs(tf, {image}, {nsfw: model}) {
  const batch = tf.reshape(tf.image.resizeBilinear(unit(tf, image), [224, 224], true), [1, 224, 224, 3]);
  return top(tf, model(batch).probabilities, 5, ['Drawing', 'Hentai', 'Neutral', 'Porn', 'Sexy']);
}

function teachableImage(tf, {image}, {teachable_image: model, labels}) {
  const pixels = tf.squeeze(image, [0]);
  const [height, width] = pixels.shape;
  const size = Math.min(height, width);
  const cropped = tf.slice(pixels, [height / 2 - size / 2, width / 2 - size / 2, 0], [size, size, 3]);
  const scaled = tf.sub(tf.div(tf.cast(tf.expandDims(cropped, 0), 'float32'), 127), 1);
  return top(tf, model(scaled).probabilities, 3, labels['teachable.txt']);
}

function teachablePose(tf, {image}, {teachable_posenet: posenet, teachable_classes: model, labels}) {
  const [height, width] = image.shape;
  const down = width > height ? Math.round((width - height) / 2) : 0;
  const right = height > width ? Math.round((height - width) / 2) : 0;
  const padded = tf.pad3d(image, [[down, down], [right, right], [0, 0]]);
  const resized = tf.image.resizeBilinear(padded, [257, 257]);
  const {heatmaps, offsets} = posenet(tf.expandDims(tf.sub(tf.div(resized, 127.5), 1)));
  const features = tf.concat([tf.sigmoid(tf.squeeze(heatmaps, [0])), tf.squeeze(offsets, [0])], 2).dataSync();
  return top(tf, model(tf.tensor2d([features])).probabilities, 3, labels['teachable_poses.txt']);
}

function doodlenet(tf, {image}, {doodlenet_28: model, labels}) {
  const resized = tf.image.resizeBilinear(tf.sub(1, unit(tf, image)), [28, 28]);
  const [red, green, blue] = tf.split(resized, 3, 2);
  const gray = tf.floor(tf.div(tf.add(tf.add(red, green), blue), 3));
  return top(tf, model(tf.reshape(gray, [1, 28, 28, 1])).probabilities, 10, labels['doodles.txt']);
}

function darknet(tf, {image}, {darknet_tiny: model, labels}) {
  const batch = tf.reshape(tf.image.resizeBilinear(unit(tf, image), [224, 224], true), [1, 224, 224, 3]);
  return top(tf, tf.softmax(model(batch).logits), 3, labels['darknet.txt']);
}

function upscaler(tf, {image}, {esrgan_thick_2x: model}) {
  const {larger} = model(tf.mul(tf.expandDims(image, 0), 1 / 255));
  return {pixels: tf.mul(tf.clipByValue(larger, 0, 1), 255)};
}

function basicPitch(tf, {sound}, {basic_pitch: model}) {
  const samples = tf.concat([tf.zeros([3840]), tf.reshape(sound, [-1])]);
  const windows = tf.expandDims(tf.signal.frame(samples, 43844, 43844 - 30 * 256, true, 0), -1);
  const {frames, onsets} = model(tf.slice(windows, 0, 1));
  const unwrapped = (result) => tf.reshape(tf.slice(result, [0, 15, 0], [-1, 172 - 30, -1]), [-1, 88]);
  return {notes: unwrapped(frames), begun: unwrapped(onsets)};
}

module.exports = {
  nsfwjs,
  'teachable-machine-image': teachableImage,
  'teachable-machine-pose': teachablePose,
  doodlenet,
  darknet,
  upscaler,
  'basic-pitch': basicPitch,
};
