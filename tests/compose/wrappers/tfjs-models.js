// Wrappers of https://github.com/tensorflow/tfjs-models: see run.js.

'use strict';

const PIXELS_TO_SIGNED = 2 / 255;

function size(image) {
  const [height, width] = image.shape;
  return {height, width};
}

// Pixels of the border above or below, left or right, so that an image has the ratio of a target.
function borders({height, width}, target) {
  const ratio = target.width / target.height;
  if (width / height < ratio) {
    const side = Math.round(0.5 * (ratio * height - width));
    return {top: 0, bottom: 0, left: side, right: side};
  }
  const side = Math.round(0.5 * (1 / ratio * width - height));
  return {top: side, bottom: side, left: 0, right: 0};
}

function bordered(tf, image, target) {
  const border = borders(size(image), target);
  const padded = tf.pad3d(image, [[border.top, border.bottom], [border.left, border.right], [0, 0]]);
  return {resized: tf.image.resizeBilinear(padded, [target.height, target.width]), border};
}

// MediaPipe's: an image through a projective transform, which maps the target onto the image with its border.
function sampled(tf, image, target, [low, high], {keepRatio, fill = 'constant'}) {
  const {height, width} = size(image);
  const ratio = target.height / target.width;
  const whole = {height, width};
  if (keepRatio && ratio > height / width) whole.height = width * ratio;
  else if (keepRatio) whole.width = height / ratio;
  const left = (whole.width - width) / 2;
  const top = (whole.height - height) / 2;
  const matrix = [whole.width / target.width, 0, -left, 0, whole.height / target.height, -top, 0, 0];
  const batch = tf.expandDims(tf.cast(image, 'float32'));
  const seen = tf.image.transform(batch, tf.tensor2d([matrix]), 'bilinear', fill, 0, [target.height, target.width]);
  const scale = (high - low) / 255;
  const toImage = ([x, y]) => [x * whole.width - left, y * whole.height - top]; // from 0 to 1, to pixels
  return {seen: tf.add(tf.mul(seen, scale), low), toImage};
}

function best(scores, count) {
  return Array.from(scores, (score, index) => ({score, index})).sort((a, b) => b.score - a.score).slice(0, count);
}

async function mobilenet(tf, {image}, {mobilenet_v1: model, labels}) {
  const scaled = tf.add(tf.mul(tf.cast(image, 'float32'), PIXELS_TO_SIGNED), -1);
  const batch = tf.reshape(tf.image.resizeBilinear(scaled, [224, 224], true), [-1, 224, 224, 3]);
  const {logits} = model(batch);
  const probabilities = tf.softmax(tf.slice(logits, [0, 1], [-1, 1000]));
  const top = best(await probabilities.data(), 3);
  return {
    probabilities: tf.tensor2d([top.map(({score}) => score)]),
    names: tf.tensor2d([top.map(({index}) => labels['imagenet.txt'][index])], [1, 3], 'string'),
  };
}

async function cocoSsd(tf, {image}, {coco_ssd: model, labels}) {
  const {scores: table, places} = model(tf.expandDims(image));
  const {height, width} = size(image);
  const rows = tf.squeeze(table, [0]).arraySync();
  const scores = rows.map((row) => Math.max(...row));
  const classes = rows.map((row) => row.indexOf(Math.max(...row)));
  const boxes = tf.squeeze(places, [0, 2]);
  const kept = Array.from(tf.image.nonMaxSuppression(boxes, scores, 20, 0.5, 0.5).dataSync());
  const corners = boxes.arraySync();
  const inPixels = kept.map((at) => {
    const [y1, x1, y2, x2] = corners[at];
    return [x1 * width, y1 * height, x2 * width - x1 * width, y2 * height - y1 * height];
  });
  return {
    boxes: tf.tensor2d(inPixels, [kept.length, 4]),
    scores: tf.tensor1d(kept.map((at) => scores[at])),
    names: tf.tensor1d(kept.map((at) => labels['coco_classes.txt'][classes[at]]), 'string'),
  };
}

function deeplab(tf, {image}, {deeplab_pascal: model}) {
  const {height, width} = size(image);
  const ratio = 513 / Math.max(width, height);
  const resized = tf.image.resizeBilinear(image, [Math.round(height * ratio), Math.round(width * ratio)]);
  const {classes} = model(tf.cast(tf.expandDims(resized), 'int32'));
  return {map: tf.squeeze(classes)};
}

// One pose: the largest number of each part's map, and the offset there.
function onePose(tf, image, model, normalized, stride) {
  const {resized, border} = bordered(tf, image, {height: 257, width: 257});
  const results = model(tf.expandDims(normalized(tf.cast(resized, 'float32')), 0));
  const heatmaps = tf.sigmoid(tf.squeeze(results.heatmaps, [0])).arraySync();
  const offsets = tf.squeeze(results.offsets, [0]).arraySync();
  const {height, width} = size(image);
  const scaleY = (height + border.top + border.bottom) / 257;
  const scaleX = (width + border.left + border.right) / 257;
  const points = [];
  const scores = [];
  for (let part = 0; part < 17; part++) {
    let [y, x] = [0, 0];
    heatmaps.forEach((row, atY) => row.forEach((cell, atX) => {
      if (cell[part] > heatmaps[y][x][part]) [y, x] = [atY, atX];
    }));
    scores.push(heatmaps[y][x][part]);
    const down = y * stride + offsets[y][x][part];
    const right = x * stride + offsets[y][x][part + 17];
    points.push([right * scaleX - border.left, down * scaleY - border.top]);
  }
  return {
    points: tf.tensor2d(points),
    scores: tf.tensor1d(scores),
    score: tf.scalar(scores.reduce((sum, score) => sum + score) / 17),
  };
}

const signed = (tf) => (image) => tf.sub(tf.div(image, 127.5), 1.0);

const posenetMobilenet = (tf, {image}, {posenet_mobilenet: model}) => onePose(tf, image, model, signed(tf), 16);

function posenetResnet(tf, {image}, {posenet_resnet: model}) {
  return onePose(tf, image, model, (pixels) => tf.add(pixels, [-123.15, -115.90, -103.06]), 32);
}

function posenetMany(tf, {image}, {posenet_many_mobilenet: model}) {
  const {resized, border} = bordered(tf, image, {height: 257, width: 257});
  const results = model(tf.expandDims(signed(tf)(resized)));
  const {height, width} = size(image);
  const tall = height + border.top + border.bottom;
  const wide = width + border.left + border.right;
  return {
    scores: tf.sigmoid(results.heatmaps),
    offsets: results.offsets,
    forward: results.displacement_fwd,
    backward: results.displacement_bwd,
    border: tf.tensor1d([border.top / tall, border.left / wide, border.bottom / tall, border.right / wide]),
  };
}

// The size that body-pix works at: half of the image's, then 16 n + 1.
const internal = (side) => (side * 0.5 - 1) % 16 === 0 ? side * 0.5 : Math.floor(side * 0.5 / 16) * 16 + 1;

function bodyPix(tf, images, model) {
  const image = tf.squeeze(images, [0]);
  const {height, width} = size(image);
  const target = {height: internal(height), width: internal(width)};
  const {resized, border} = bordered(tf, image, target);
  const results = model(tf.expandDims(signed(tf)(tf.cast(resized, 'float32'))));
  const [tall, wide] = [height + border.top + border.bottom - 1, width + border.left + border.right - 1];
  const part = [
    border.top / tall, border.left / wide, (border.top + height - 1) / tall, (border.left + width - 1) / wide,
  ];
  const scaled = (scores) => {
    const larger = tf.sigmoid(tf.image.resizeBilinear(scores, [target.height, target.width], true));
    return tf.squeeze(tf.image.cropAndResize(larger, [part], [0], [height, width]), [0]);
  };
  const mask = tf.cast(tf.greater(tf.squeeze(scaled(results.segments)), 0.7), 'int32');
  return {mask, results, scaled};
}

function bodyPixMasks(tf, {image}, {body_pix: model}) {
  const {mask, results, scaled} = bodyPix(tf, image, model);
  const numbers = tf.argMax(scaled(results.part_heatmaps), 2);
  return {mask, parts: tf.sub(tf.mul(tf.add(numbers, tf.scalar(1, 'int32')), mask), tf.scalar(1, 'int32'))};
}

function bodyPixMany(tf, {image}, {body_pix_many: model}) {
  const {mask, results} = bodyPix(tf, image, model);
  const {heatmaps, offsets, long_offsets} = results;
  return {mask, scores: tf.sigmoid(heatmaps), offsets, long_offsets};
}

// The middles of the places of two layers, in pixels, x before y.
function anchorsOf(side, layers) {
  const anchors = [];
  for (const {stride, count} of layers) {
    const places = Math.floor((side + stride - 1) / stride);
    for (let y = 0; y < places; y++) {
      for (let x = 0; x < places; x++) {
        for (let n = 0; n < count; n++) anchors.push([stride * (x + 0.5), stride * (y + 0.5)]);
      }
    }
  }
  return anchors;
}

const FACE_LAYERS = [{stride: 8, count: 2}, {stride: 16, count: 6}];

function blazeface(tf, {image}, {blazeface_128: model}) {
  const batch = tf.expandDims(tf.cast(image, 'float32'), 0);
  const resized = tf.image.resizeBilinear(batch, [128, 128]);
  const table = tf.squeeze(model(tf.mul(tf.sub(tf.div(resized, 255), 0.5), 2)).rows);
  const anchors = anchorsOf(128, FACE_LAYERS);
  const centers = tf.add(tf.slice(table, [0, 1], [-1, 2]), tf.tensor2d(anchors));
  const half = tf.div(tf.slice(table, [0, 3], [-1, 2]), 2);
  const boxes = tf.concat([tf.sub(centers, half), tf.add(centers, half)], 1);
  const scores = tf.squeeze(tf.sigmoid(tf.slice(table, [0, 0], [-1, 1])));
  const kept = tf.image.nonMaxSuppression(boxes, scores, 10, 0.3, 0.75).arraySync();
  const {height, width} = size(image);
  const [scaleX, scaleY] = [width / 128, height / 128];
  const rows = table.arraySync();
  const corners = boxes.arraySync();
  const landmarks = kept.map((at) => Array.from({length: 6}, (_, point) => [
    (rows[at][5 + 2 * point] + anchors[at][0]) * scaleX, (rows[at][6 + 2 * point] + anchors[at][1]) * scaleY,
  ]));
  return {
    top_left: tf.tensor2d(kept.map((at) => [corners[at][0] * scaleX, corners[at][1] * scaleY])),
    bottom_right: tf.tensor2d(kept.map((at) => [corners[at][2] * scaleX, corners[at][3] * scaleY])),
    landmarks: tf.tensor3d(landmarks),
    probability: tf.gather(scores, kept),
  };
}

// MediaPipe's detectors: a row has the score, the box' center and size, and points, in pixels from the anchor.
function detected(tf, table, side, layers, points, {least, most}) {
  const anchors = anchorsOf(side, layers);
  const found = table.arraySync().map(([logit, x, y, width, height, ...rest], at) => {
    const [middleX, middleY] = anchors[at].map((middle) => middle / side);
    const [centerX, centerY] = [x / side + middleX, y / side + middleY];
    const [halfX, halfY] = [width / side / 2, height / side / 2];
    return {
      score: 1 / (1 + Math.exp(-Math.max(-100, Math.min(100, logit)))),
      box: [centerY - halfY, centerX - halfX, centerY + halfY, centerX + halfX],
      points: Array.from({length: points}, (_, point) =>
        [rest[2 * point] / side + middleX, rest[2 * point + 1] / side + middleY]),
      isBox: width >= 0 && height >= 0,
    };
  }).filter(({score, isBox}) => score >= least && isBox).sort((a, b) => b.score - a.score);
  const boxes = tf.tensor2d(found.map(({box}) => box));
  const scores = tf.tensor1d(found.map(({score}) => score));
  const kept = tf.image.nonMaxSuppression(boxes, scores, most, 0.3).arraySync();
  return found.filter((_, at) => kept.includes(at));
}

function projected([top, left, bottom, right], toImage) {
  return [...toImage([left, top]), ...toImage([right, bottom])];
}

function faceDetection(tf, {image}, {face_detector_short: model}) {
  const {seen, toImage} = sampled(tf, image, {height: 128, width: 128}, [-1, 1], {keepRatio: true});
  const table = tf.squeeze(model(seen).rows);
  const faces = detected(tf, table, 128, FACE_LAYERS, 6, {least: 0.5, most: 1});
  return {
    boxes: tf.tensor2d(faces.map(({box}) => projected(box, toImage))),
    keypoints: tf.tensor3d(faces.map(({points}) => points.map(toImage))),
  };
}

function movenetSingle(tf, {image}, {movenet_lightning: model}) {
  const {height, width} = size(image);
  const region = width > height ?
    {top: 0, left: (width / 2 - height / 2) / width, height: 1, width: height / width} :
    {top: (height / 2 - width / 2) / height, left: 0, height: width / height, width: 1};
  const box = [region.top, region.left, region.top + region.height, region.left + region.width];
  const cropped = tf.image.cropAndResize(tf.expandDims(image), [box], [0], [192, 192], 'bilinear', 0);
  const joints = tf.squeeze(model(tf.cast(cropped, 'int32')).poses, [0, 1]).arraySync();
  const scores = joints.map(([, , score]) => score);
  const valid = scores.filter((score) => score > 0.2);
  const points = joints.map(([y, x]) =>
    [(region.top + y * region.height) * height, (region.left + x * region.width) * width]);
  return {
    points: tf.tensor2d(points),
    scores: tf.tensor1d(scores),
    score: tf.scalar(valid.reduce((sum, score) => sum + score, 0) / Math.max(1, valid.length)),
  };
}

// The mask of a person as red, 0, 0, alpha; it has the size of the image.
function selfieMask(tf, image, model) {
  const {seen} = sampled(tf, image, {height: 256, width: 256}, [0, 1], {keepRatio: false});
  const activation = tf.slice(model(seen).activation, [0, 0, 0, 1], -1);
  const {height, width} = size(image);
  const mask = tf.image.resizeBilinear(tf.squeeze(activation, [0]), [height, width]);
  return tf.mirrorPad(tf.pad(mask, [[0, 0], [0, 0], [0, 1]]), [[0, 0], [0, 0], [0, 2]], 'symmetric');
}

const selfieSegmentation = (tf, {image}, {selfie_general: model}) => ({mask: selfieMask(tf, image, model)});

function depthEstimation(tf, {image}, {selfie_of_depth: selfie, portrait_depth: model}) {
  const {height, width} = size(image);
  const floats = tf.cast(image, 'float32');
  const isForeground = tf.round(tf.slice(selfieMask(tf, image, selfie), 0, [height, width, 1]));
  const foreground = tf.mul(floats, tf.tile(isForeground, [1, 1, 3]));
  const resized = tf.image.resizeBilinear(tf.add(tf.mul(foreground, 1 / 255), 0), [256, 192]);
  const {depth} = model(tf.expandDims(resized));
  const clipped = tf.clipByValue(tf.add(tf.mul(depth, 0.5), 0), 0, 1);
  return {depth_map: tf.squeeze(tf.image.resizeBilinear(clipped, [height, width]), [0, 3])};
}

async function speechCommandsSpectrogram(tf, {decibels}, {speech_commands_18w: model, labels}) {
  const {mean, variance} = tf.moments(decibels);
  const {words} = model(tf.div(tf.sub(decibels, mean), tf.add(tf.sqrt(variance), 1e-7)));
  const top = best(await words.data(), 3);
  return {
    scores: words,
    best: tf.tensor2d([top.map(({score}) => score)]),
    names: tf.tensor2d([top.map(({index}) => labels['speech_commands.txt'][index])], [1, 3], 'string'),
  };
}

function movenetMany(tf, {image}, {movenet_multipose: model}) {
  const {height, width} = size(image);
  const larger = Math.max(height, width);
  const [tall, wide] = [Math.round(256 * height / larger), Math.round(256 * width / larger)];
  const [fullTall, fullWide] = [Math.ceil(tall / 32) * 32, Math.ceil(wide / 32) * 32];
  const resized = tf.image.resizeBilinear(tf.expandDims(image, 0), [tall, wide]);
  const padded = tf.pad(resized, [[0, 0], [0, fullTall - tall], [0, fullWide - wide], [0, 0]]);
  const poses = tf.squeeze(model(tf.cast(padded, 'int32')).poses, [0]).arraySync();
  const joints = poses.map((pose) => Array.from({length: 17}, (_, joint) => pose.slice(3 * joint, 3 * joint + 3)));
  const points = joints.map((pose) => pose.map(([y, x]) =>
    [y * fullTall / tall * height, x * fullWide / wide * width]));
  return {
    points: tf.tensor3d(points),
    point_scores: tf.tensor2d(joints.map((pose) => pose.map(([, , score]) => score))),
    boxes: tf.tensor2d(poses.map((pose) => pose.slice(51, 55))),
    scores: tf.tensor1d(poses.map((pose) => pose[55])),
  };
}

function movenetVideo(tf, {image, region}, {movenet_lightning: model}) {
  const cropped = tf.image.cropAndResize(tf.expandDims(image), region, [0], [192, 192], 'bilinear', 0);
  const joints = tf.squeeze(model(tf.cast(cropped, 'int32')).poses, [0, 1]).arraySync();
  const [top, left, bottom, right] = region.dataSync();
  return {
    points: tf.tensor2d(joints.map(([y, x]) => [top + y * (bottom - top), left + x * (right - left)])),
    scores: tf.tensor1d(joints.map(([, , score]) => score)),
  };
}

function knnClassifier(tf, {features, examples, classes}, {labels}) {
  const flat = tf.reshape(features, [-1]);
  const unit = tf.div(flat, tf.norm(flat));
  const similar = tf.matMul(examples, tf.reshape(unit, [-1, 1])).dataSync();
  const votes = [0, 0, 0];
  for (const {index} of best(similar, 3)) votes[classes.dataSync()[index]] += 1;
  const confidences = votes.map((count) => count / 3);
  const index = confidences.indexOf(Math.max(...confidences));
  return {
    confidences: tf.tensor1d(confidences),
    index: tf.scalar(index, 'int32'),
    label: tf.scalar(labels['knn.txt'][index], 'string'),
  };
}

function toxicity(tf, {values}, {toxicity_insult: model}) {
  const {insult} = model(values);
  const [no, yes] = insult.dataSync();
  return {insult, is_sure: tf.tensor1d([Math.max(no, yes) > 0.85], 'bool'), is_match: tf.tensor1d([no < yes], 'bool')};
}

// A detector of MediaPipe's: boxes as y1, x1, y2, x2 and points as x, y, from 0 to 1.
function found(tf, image, model, {side, layers, points, range, most}) {
  const {seen, toImage} = sampled(tf, image, {height: side, width: side}, range, {keepRatio: true});
  const kept = detected(tf, tf.squeeze(model(seen).rows), side, layers, points, {least: 0.5, most});
  const {height, width} = size(image);
  const part = ([x, y]) => [x / width, y / height];
  const corner = (x, y) => part(toImage([x, y])).reverse();
  return {
    boxes: tf.tensor2d(kept.map(({box: [y1, x1, y2, x2]}) => [...corner(x1, y1), ...corner(x2, y2)])),
    keypoints: tf.tensor3d(kept.map((each) => each.points.map((point) => part(toImage(point))))),
  };
}

const HAND_LAYERS = [{stride: 8, count: 2}, {stride: 16, count: 2}, {stride: 32, count: 6}];

function handPoseDetection(tf, {image}, {palm_detector: model}) {
  return found(tf, image, model, {side: 192, layers: FACE_LAYERS, points: 7, range: [0, 1], most: 2});
}

function blazepose(tf, {image}, {pose_detector: model}) {
  return found(tf, image, model, {side: 224, layers: HAND_LAYERS, points: 4, range: [-1, 1], most: 1});
}

// A turned square of an image, from its middle in pixels, and places in it, from 0 to 1, as pixels of the image.
function turned(tf, image, {x, y, side, angle}, size) {
  const [cos, sin] = [Math.cos(angle) * side, Math.sin(angle) * side];
  const shift = [x - cos / 2 + sin / 2, y - cos / 2 - sin / 2];
  const matrix = [cos / size, -sin / size, shift[0], sin / size, cos / size, shift[1], 0, 0];
  const batch = tf.expandDims(tf.cast(image, 'float32'));
  const seen = tf.image.transform(batch, tf.tensor2d([matrix]), 'bilinear', 'nearest', 0, [size, size]);
  const toImage = ([u, v]) => [cos * (u - 0.5) - sin * (v - 0.5) + x, sin * (u - 0.5) + cos * (v - 0.5) + y];
  return {seen: tf.mul(seen, 1 / 255), toImage};
}

function faceLandmarksDetection(tf, {image}, {face_detector_of_mesh: detector, face_mesh_of_mediapipe: model}) {
  const {seen, toImage} = sampled(tf, image, {height: 128, width: 128}, [-1, 1], {keepRatio: true});
  const [face] = detected(tf, tf.squeeze(detector(seen).rows), 128, FACE_LAYERS, 6, {least: 0.5, most: 1});
  const [left, top, right, bottom] = projected(face.box, toImage);
  const [[x0, y0], [x1, y1]] = face.points.slice(0, 2).map(toImage);
  const square = {
    x: (left + right) / 2,
    y: (top + bottom) / 2,
    side: 1.5 * Math.max(right - left, bottom - top),
    angle: -Math.atan2(-(y1 - y0), x1 - x0),
  };
  const crop = turned(tf, image, square, 192);
  const {mesh, flag} = model(crop.seen);
  const points = tf.reshape(mesh, [468, 3]).arraySync().map(([x, y, z]) =>
    [...crop.toImage([x / 192, y / 192]), z / 192 * square.side]);
  const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
  return {
    count: tf.scalar(1, 'int32'),
    keypoints: tf.tensor2d(points),
    box: tf.tensor1d([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]),
    flag,
  };
}

function handpose(tf, {image}, {handpose_detector: model}) {
  const batch = tf.expandDims(image);
  const scaled = tf.div(tf.image.resizeBilinear(batch, [256, 256]), 255);
  const table = tf.squeeze(model(tf.mul(tf.sub(scaled, 0.5), 2)).rows);
  const anchors = anchorsOf(256, HAND_LAYERS);
  const scores = tf.squeeze(tf.sigmoid(tf.slice(table, [0, 0], [-1, 1])));
  const centers = tf.add(tf.slice(table, [0, 1], [-1, 2]), tf.tensor2d(anchors));
  const half = tf.div(tf.slice(table, [0, 3], [-1, 2]), 2);
  const boxes = tf.concat([tf.sub(centers, half), tf.add(centers, half)], 1);
  const kept = tf.image.nonMaxSuppression(boxes, scores, 1, 0.3, 0.5).arraySync();
  const {height, width} = size(image);
  const scale = [width / 256, height / 256];
  const rows = table.arraySync();
  const corners = boxes.arraySync();
  return {
    box: tf.tensor2d(kept.map((at) => corners[at].map((place, axis) => place * scale[axis % 2]))),
    palm: tf.tensor3d(kept.map((at) => Array.from({length: 7}, (_, point) =>
      [0, 1].map((axis) => (rows[at][5 + 2 * point + axis] + anchors[at][axis]) * scale[axis])))),
  };
}

module.exports = {
  'mobilenet': mobilenet,
  'coco-ssd': cocoSsd,
  'deeplab': deeplab,
  'posenet-mobilenet': posenetMobilenet,
  'posenet-resnet': posenetResnet,
  'posenet-many': posenetMany,
  'body-pix-masks': bodyPixMasks,
  'body-pix-many': bodyPixMany,
  'blazeface': blazeface,
  'face-detection': faceDetection,
  'movenet-single': movenetSingle,
  'selfie-segmentation': selfieSegmentation,
  'depth-estimation': depthEstimation,
  'speech-commands-spectrogram': speechCommandsSpectrogram,
  'movenet-many': movenetMany,
  'movenet-video': movenetVideo,
  'knn-classifier': knnClassifier,
  'toxicity': toxicity,
  'hand-pose-detection': handPoseDetection,
  'blazepose': blazepose,
  'face-landmarks-detection': faceLandmarksDetection,
  'handpose': handpose,
};
