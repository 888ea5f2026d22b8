// Wrappers of https://github.com/vladmandic/human: see run.js.

'use strict';

const cents = (number) => Math.round(100 * number) / 100;
const cutCents = (number) => Math.trunc(100 * number) / 100;

// A box as corners [x, y] in pixels: larger around its middle, then a square of whole pixels.
function squared({start, end}, factor) {
  const center = [0, 1].map((axis) => start[axis] + (end[axis] - start[axis]) / 2);
  const reach = factor * Math.max(...[0, 1].map((axis) => Math.abs(end[axis] - start[axis]))) / 2;
  return {
    start: center.map((place) => Math.round(place - reach)),
    end: center.map((place) => Math.round(place + reach)),
  };
}

function anchorsOf(side, layers) {
  const anchors = [];
  for (const [stride, count] of layers) {
    const places = Math.floor((side + stride - 1) / stride);
    for (let y = 0; y < places; y++) {
      for (let x = 0; x < places; x++) {
        for (let n = 0; n < count; n++) anchors.push([stride * (x + 0.5), stride * (y + 0.5)]);
      }
    }
  }
  return anchors;
}

// A table of scores, centers, sizes and points, in pixels of a side: boxes, points and scores in pixels of the image.
function detected(tf, image, table, side, layers, points, [most, overlap, least]) {
  const anchors = anchorsOf(side, layers);
  const centers = tf.add(tf.slice(table, [0, 1], [-1, 2]), tf.tensor2d(anchors));
  const half = tf.div(tf.slice(table, [0, 3], [-1, 2]), 2);
  const boxes = tf.concat([tf.sub(centers, half), tf.add(centers, half)], 1);
  const scores = tf.squeeze(tf.sigmoid(tf.slice(table, [0, 0], [-1, 1])));
  const [, height, width] = image.shape;
  const scale = [width / side, height / side];
  const rows = table.arraySync();
  const corners = boxes.arraySync();
  return tf.image.nonMaxSuppression(boxes, scores, most, overlap, least).arraySync().map((at) => ({
    start: [0, 1].map((axis) => corners[at][axis] * scale[axis]),
    end: [0, 1].map((axis) => corners[at][axis + 2] * scale[axis]),
    points: Array.from({length: points}, (_, point) =>
      [0, 1].map((axis) => (rows[at][5 + 2 * point + axis] + anchors[at][axis]) * scale[axis])),
    score: scores.dataSync()[at],
  }));
}

const signed = (tf, image, side) => tf.sub(tf.div(tf.image.resizeBilinear(image, [side, side]), 127.5), 1);

function faces(tf, image, model, most) {
  const {scores_fine, scores_coarse, boxes_fine, boxes_coarse} = model(signed(tf, image, 256));
  const coarse = tf.concat([scores_coarse, boxes_coarse], 2);
  const table = tf.squeeze(tf.concat([tf.concat([scores_fine, boxes_fine], 2), coarse], 1), [0]);
  const found = detected(tf, image, table, 256, [[16, 2], [32, 6]], 6, [most, 0.1, 0.2]);
  return found.map((face) => ({...face, ...squared(face, 1.4)}));
}

function blazeface(tf, {image}, {human_blazeface: model}) {
  const found = faces(tf, image, model, 5);
  return {
    top_left: tf.tensor2d(found.map(({start}) => start)),
    bottom_right: tf.tensor2d(found.map(({end}) => end)),
    landmarks: tf.tensor3d(found.map(({points}) => points)),
    confidence: tf.tensor1d(found.map(({score}) => score)),
  };
}

function facemesh(tf, {image}, {human_blazeface_of_mesh: detector, human_facemesh: model}) {
  const [, height, width] = image.shape;
  const [{start, end}] = faces(tf, image, detector, 1);
  const box = [start[1] / height, start[0] / width, end[1] / height, end[0] / width];
  const crop = tf.div(tf.image.cropAndResize(image, [box], [0], [192, 192]), 255);
  const {mesh, flag} = model(crop);
  const side = [0, 1].map((axis) => Math.abs(end[axis] - start[axis]));
  const points = tf.reshape(mesh, [-1, 3]).arraySync().map(([x, y, z]) => [
    Math.trunc(side[0] / 192 * (x - 96) + start[0] + side[0] / 2),
    Math.trunc(side[1] / 192 * (y - 96) + start[1] + side[1] / 2),
    Math.trunc(z),
  ]);
  return {count: tf.scalar(1, 'int32'), mesh_in_pixels: tf.tensor3d([points], undefined, 'int32'), flag};
}

function iris(tf, {face, mesh}, {human_iris: model}) {
  const points = mesh.arraySync();
  const eyes = [[263, 362], [33, 133]].map((bounds) => {
    const corners = bounds.map((at) => points[at].slice(0, 2));
    const pick = (choose) => [0, 1].map((axis) => choose(...corners.map((corner) => corner[axis])));
    const {start, end} = squared({start: pick(Math.min), end: pick(Math.max)}, 2.3);
    const box = [start[1] / 192, start[0] / 192, end[1] / 192, end[0] / 192];
    const crop = tf.image.flipLeftRight(tf.image.cropAndResize(face, [box], [0], [64, 64]));
    return {start, size: [0, 1].map((axis) => end[axis] - start[axis]), crop};
  });
  const found = tf.reshape(model(tf.concat(eyes.map(({crop}) => crop))).contours, [2, 76, 3]).arraySync();
  const [left, right] = eyes.map(({start, size}, eye) => tf.tensor2d(found[eye].map(([x, y]) => [
    (eye === 0 ? 1 - x / 64 : x / 64) * size[0] + start[0], y / 64 * size[1] + start[1],
  ])));
  return {left, right};
}

function faceres(tf, {face}, {human_faceres: model}) {
  const {ages, male, descriptor} = model(tf.mul(tf.image.resizeBilinear(face, [224, 224], false), 255));
  const years = ages.dataSync();
  const best = tf.argMax(ages, 1).dataSync()[0];
  const tenths = years[best - 1] > years[best + 1] ? 10 * best - 100 * years[best - 1] : 10 * best + 100 * years[best + 1];
  const [probability] = male.dataSync();
  const certainty = Math.trunc(200 * Math.abs(probability - 0.5)) / 100;
  const sex = probability <= 0.5 ? 'female' : 'male';
  return {
    age: tf.tensor1d([Math.round(tenths) / 10]),
    gender: tf.tensor1d([certainty > 0.1 ? sex : 'unknown'], 'string'),
    gender_score: tf.tensor1d([Math.min(0.99, certainty)]),
    descriptor,
  };
}

function gray(tf, face, side) {
  const resized = tf.image.resizeBilinear(face, [side, side], false);
  const channels = tf.mul(resized, tf.tensor1d([0.2989, 0.5870, 0.1140]));
  return tf.mul(tf.sub(tf.sum(channels, 3, true), 0.5), 2);
}

function sorted(scores, names) {
  return scores.map((score, at) => ({score, name: names[at]})).sort((a, b) => b.score - a.score);
}

function emotion(tf, {face}, {human_emotion: model}) {
  const scores = Array.from(model(gray(tf, face, 64)).emotions.dataSync(), (score) => Math.min(0.99, cutCents(score)));
  const found = sorted(scores, ['angry', 'disgust', 'fear', 'happy', 'sad', 'surprise', 'neutral']);
  return {
    scores: tf.tensor1d(found.map(({score}) => score)),
    emotions: tf.tensor1d(found.map(({name}) => name), 'string'),
  };
}

function rounded(tf, face, side, model, round) {
  const [number] = Object.values(model(tf.image.resizeBilinear(face, [side, side], false)))[0].dataSync();
  return tf.tensor1d([round(number)]);
}

const antispoof = (tf, {face}, {human_antispoof: model}) => ({real: rounded(tf, face, 128, model, cents)});

const liveness = (tf, {face}, {human_liveness: model}) => ({live: rounded(tf, face, 32, model, cents)});

function ssrnetAge(tf, {face}, {human_ssrnet_age: model}) {
  const {years} = model(tf.mul(tf.image.resizeBilinear(face, [64, 64], false), 255));
  return {age: tf.tensor1d([Math.trunc(10 * years.dataSync()[0]) / 10])};
}

function ssrnetGender(tf, {face}, {human_ssrnet_gender: model}) {
  const [female, male] = model(gray(tf, face, 64)).genders.dataSync();
  return {
    gender: tf.tensor1d([female > male ? 'female' : 'male'], 'string'),
    gender_score: tf.tensor1d([cutCents(Math.max(female, male))]),
  };
}

function gear(tf, {face}, {human_gear: model}) {
  const {ages, genders, races} = model(tf.image.cropAndResize(face, [[0, 0.1, 0.9, 0.9]], [0], [198, 198]));
  const [male, female] = genders.dataSync();
  const found = sorted(Array.from(races.dataSync(), cents), ['white', 'black', 'asian', 'indian', 'other']);
  const years = [15, 23, 28, 35.5, 45.5, 55.5, 65];
  const byWeight = sorted(Array.from(ages.dataSync()), years);
  let age = byWeight[0].name;
  for (const {score, name} of byWeight.slice(1)) age += score * (name - age);
  return {
    age: tf.tensor1d([Math.round(10 * age) / 10]),
    gender: tf.tensor1d([male > female ? 'male' : 'female'], 'string'),
    gender_score: tf.tensor1d([cents(Math.max(male, female))]),
    race_scores: tf.tensor1d(found.map(({score}) => score)),
    race_names: tf.tensor1d(found.map(({name}) => name), 'string'),
  };
}

function mobilefacenet(tf, {face}, {human_mobilefacenet: model}) {
  return {descriptor: model(tf.image.resizeBilinear(face, [112, 112], false)).embedding};
}

function handtrack(tf, {image}, {human_handtrack: detector, human_hand_landmarks: model}) {
  const [, height, width] = image.shape;
  const tall = Math.min(Math.round(height / 8) * 8, 512);
  const resized = tf.image.resizeBilinear(image, [tall, Math.round(tall * width / height / 8) * 8]);
  const {hand_scores, places} = detector(tf.cast(resized, 'int32'));
  const boxes = tf.squeeze(places, [0, 2]);
  const classes = tf.unstack(tf.squeeze(hand_scores, [0]), 1);
  classes.splice(4, 1);
  const table = tf.stack(classes, 1);
  const best = tf.max(table, 1);
  const [at] = tf.image.nonMaxSuppression(boxes, best, 1, 0.2, 0.5).dataSync();
  const [y1, x1, y2, x2] = tf.slice(boxes, [at, 0], [1, 4]).dataSync();
  const [tallBox, wideBox] = [y2 - y1, x2 - x1];
  const raw = [x1 - 0.2 * wideBox, y1 - 0.2 * tallBox, 1.4 * wideBox, 1.4 * tallBox];
  const crop = [raw[1], raw[0], raw[1] + raw[3], raw[0] + raw[2]];
  const {logit, keypoints} = model(tf.div(tf.image.cropAndResize(image, [crop], [0], [224, 224], 'bilinear'), 255));
  const points = tf.reshape(keypoints, [-1, 3]).arraySync().map(([x, y]) =>
    [width * (x / 224 * raw[2] + raw[0]), height * (y / 224 * raw[3] + raw[1])]);
  const names = ['hand', 'fist', 'pinch', 'point', 'face', 'tip', 'pinchtip'];
  const box = [y1 * height, x1 * width, tallBox * height, wideBox * width].map(Math.trunc);
  return {
    count: tf.scalar(1, 'int32'),
    score: tf.gather(best, [at]),
    label: tf.tensor1d([names[tf.argMax(table, 1).dataSync()[at]]], 'string'),
    box: tf.tensor1d(box, 'int32'),
    finger_score: tf.sigmoid(logit),
    points: tf.tensor2d(points),
  };
}

function handskeleton(tf, {image}, {human_hand_detector: model}) {
  const table = tf.squeeze(model(signed(tf, image, 256)).rows);
  const found = detected(tf, image, table, 256, [[8, 2], [16, 2], [32, 6]], 7, [6, 0.2, 0.5]);
  return {
    boxes: tf.tensor2d(found.map(({start, end}) => [...start, ...end])),
    palms: tf.tensor3d(found.map(({points}) => points)),
    confidence: tf.tensor1d(found.map(({score}) => score)),
  };
}

// A square of an image with a border of whole pixels, the same on both sides.
function padded(tf, image, side) {
  const [, height, width] = image.shape;
  const down = width > height ? Math.trunc((width - height) / 2) : 0;
  const right = height > width ? Math.trunc((height - width) / 2) : 0;
  const bordered = tf.pad(image, [[0, 0], [down, down], [right, right], [0, 0]]);
  return {square: tf.image.resizeBilinear(bordered, [side, side]), border: [right, down], size: [width, height]};
}

const unpadded = (place, size, border) => place * (size + 2 * border) / size - border;

function movenet(tf, {image}, {human_movenet: model}) {
  const {square, border, size} = padded(tf, image, 192);
  const joints = tf.squeeze(model(tf.cast(square, 'int32')).poses, [0, 1]).arraySync();
  const scores = joints.map(([, , score]) => score);
  const points = joints.map(([y, x]) =>
    [x, y].map((place, axis) => unpadded(Math.round(size[axis] * place), size[axis], border[axis])));
  return {points: tf.tensor2d(points), scores: tf.tensor1d(scores), score: tf.scalar(Math.max(...scores))};
}

function posenet(tf, {image}, {human_posenet: model}) {
  const {offsets, heatmaps} = model(signed(tf, image, 385));
  return {scores: tf.sigmoid(heatmaps), offsets};
}

function boxAround(places) {
  const [xs, ys] = [0, 1].map((axis) => places.map((place) => place[axis]));
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return [left, top, Math.max(...xs) - left, Math.max(...ys) - top];
}

function efficientpose(tf, {image}, {human_efficientpose: model}) {
  const [, height, width] = image.shape;
  const resized = tf.image.resizeBilinear(image, [256, 256], false);
  const parts = tf.unstack(tf.squeeze(model(tf.sub(tf.mul(resized, 2), 1)).parts), 2);
  const found = parts.map((part) => {
    const flat = tf.reshape(part, [-1]).dataSync();
    const at = flat.reduce((best, number, place) => number > flat[best] ? place : best, 0);
    const [x, y] = [at % 128, Math.floor(at / 128)];
    return {
      score: cents(flat[at]),
      raw: [x / 256, y / 256],
      position: [Math.round(width * x / 256), Math.round(height * y / 256)],
    };
  });
  return {
    scores: tf.tensor1d(found.map(({score}) => score)),
    raw: tf.tensor2d(found.map(({raw}) => raw)),
    positions: tf.tensor2d(found.map(({position}) => position)),
    score: tf.scalar(Math.max(...found.map(({score}) => score))),
    box: tf.tensor1d(boxAround(found.map(({position}) => position))),
  };
}

function blazepose(tf, {image}, {human_blazepose: model}) {
  const {square, border, size} = padded(tf, image, 256);
  const {ld, poseflag} = model(tf.div(square, 255));
  const [flag] = poseflag.dataSync();
  const sigmoid = (number) => 1 / (1 + Math.exp(-number));
  const rows = tf.reshape(ld, [39, 5]).arraySync();
  const depths = rows.map(([, , z]) => z);
  depths[35] = (rows[15][2] + rows[19][2]) / 2;
  depths[37] = (rows[16][2] + rows[20][2]) / 2;
  const positions = rows.map(([x, y], at) => [
    ...[x, y].map((place, axis) => {
      const rough = Math.trunc(size[axis] * place / 256);
      return Math.trunc(unpadded(rough, size[axis], border[axis]));
    }),
    depths[at],
  ]);
  return {
    positions: tf.tensor2d(positions),
    raw: tf.tensor2d(positions.map(([x, y, z]) => [x / size[0], y / size[1], 2 * z / (size[0] + size[1])])),
    scores: tf.tensor1d(rows.map(([, , , visible, present]) => cutCents(sigmoid(visible) * sigmoid(present) * flag))),
    score: tf.tensor1d([cutCents(flag)]),
    box: tf.tensor1d(boxAround(positions)),
  };
}

function objects(tf, found, width, height) {
  const inPixels = ({raw: [x, y, wide, tall]}) => [x * width, y * height, wide * width, tall * height].map(Math.trunc);
  return {
    scores: tf.tensor1d(found.map(({score}) => score)),
    classes: tf.tensor1d(found.map(({number}) => number), 'int32'),
    names: tf.tensor1d(found.map(({name}) => name), 'string'),
    raw: tf.tensor2d(found.map(({raw}) => raw)),
    boxes: tf.tensor2d(found.map(inPixels), undefined, 'int32'),
  };
}

function centernet(tf, {image}, {human_centernet: model, labels}) {
  const [, height, width] = image.shape;
  const rows = tf.squeeze(model(tf.image.resizeBilinear(image, [512, 512])).detections).arraySync();
  const boxes = rows.map(([x1, y1, x2, y2]) => [y1, x1, y2, x2]);
  const kept = tf.image.nonMaxSuppression(boxes, rows.map((row) => row[4]), 10, 0.4, 0.2).dataSync();
  const found = Array.from(kept, (at) => {
    const [x1, y1, x2, y2, score, number] = rows[at];
    const raw = [x1 / 512, y1 / 512, x2 / 512 - x1 / 512, y2 / 512 - y1 / 512];
    const index = Math.trunc(number);
    return {score: cutCents(score), number: index, name: labels['centernet.txt'][index], raw};
  });
  return objects(tf, found, width, height);
}

function nanodet(tf, {image}, {human_nanodet: model, labels}) {
  const [, height, width] = image.shape;
  const scaled = tf.div(tf.image.resizeBilinear(image, [416, 416], false), 255);
  const results = model(tf.transpose(scaled, [0, 3, 1, 2]));
  const found = [];
  for (const stride of [1, 2, 4]) {
    const base = 13 * stride;
    const scores = tf.squeeze(results[`scores_${base}`]).arraySync();
    const sides = tf.argMax(tf.reshape(tf.squeeze(results[`features_${base}`]), [-1, 4, 8]), 2).arraySync();
    scores.forEach((row, place) => row.forEach((score, number) => {
      if (score <= 0.2 || number === 61) return;
      const reach = sides[place].map((side) => 2.5 / stride * side * (base / stride / 416));
      const [cx, cy] = [(place % base + 0.5) / base, (Math.trunc(place / base) + 0.5) / base];
      const [x, y] = [cx - reach[0], cy - reach[1]];
      const raw = [x, y, cx + reach[2] - x, cy + reach[3] - y].map((each) => Math.max(0, Math.min(each, 1)));
      found.push({score: cents(score), number: number + 1, name: labels['nanodet.txt'][number], raw});
    }));
  }
  const boxes = found.map(({raw: [x, y, wide, tall]}) => [y, x, tall, wide]);
  const kept = tf.image.nonMaxSuppression(boxes, found.map(({score}) => score), 10, 0.4, 0.2).dataSync();
  const chosen = Array.from(kept).sort((a, b) => a - b).map((at) => found[at]).sort((a, b) => b.score - a.score);
  return objects(tf, chosen, width, height);
}

function selfieMeet(tf, {image}, {human_meet: meet, human_selfie: selfie}) {
  const size = image.shape.slice(1, 3);
  const pixels = tf.squeeze(image);
  const withAlpha = (alpha) => tf.cast(tf.concat([pixels, alpha], -1), 'int32');
  const [, front] = tf.unstack(tf.squeeze(meet(tf.div(tf.image.resizeBilinear(image, [144, 256]), 255)).segments, [0]), 2);
  const foreground = tf.expandDims(tf.mul(tf.softmax(front), 255), 2);
  const {alpha} = selfie(tf.div(tf.image.resizeBilinear(image, [256, 256]), 255));
  return {
    rgba_of_meet: withAlpha(tf.image.resizeBilinear(foreground, size)),
    rgba_of_selfie: withAlpha(tf.mul(tf.image.resizeBilinear(tf.squeeze(alpha, [0]), size), 255)),
  };
}

function rvm(tf, {image, r1, r2, r3, r4, ratio}, {human_rvm: model}) {
  const states = {r1i: r1, r2i: r2, r3i: r3, r4i: r4};
  const {fgr, pha, ...next} = model({src: tf.div(image, 255), ...states, downsample_ratio: ratio});
  const whole = (part) => tf.cast(tf.mul(tf.squeeze(part, [0]), 255), 'int32');
  return {rgba: tf.concat([whole(fgr), whole(pha)], -1), ...next};
}

module.exports = {
  blazeface,
  facemesh,
  iris,
  faceres,
  emotion,
  antispoof,
  liveness,
  'ssrnet-age': ssrnetAge,
  'ssrnet-gender': ssrnetGender,
  gear,
  mobilefacenet,
  handtrack,
  handskeleton,
  movenet,
  posenet,
  efficientpose,
  blazepose,
  centernet,
  nanodet,
  'selfie-meet': selfieMeet,
  rvm,
};
