// Wrappers of https://github.com/justadudewhohacks/face-api.js: see run.js.

'use strict';

const MEAN = [122.782, 117.001, 104.298];
const EXPRESSIONS = ['neutral', 'happy', 'sad', 'angry', 'fearful', 'disgusted', 'surprised'];

function squared(tf, image, side, isCentered) {
  const [, height, width] = image.shape;
  const lack = Math.abs(height - width);
  const after = Math.round(lack * (isCentered ? 0.5 : 1));
  const more = [lack - after, after];
  const padded = tf.pad(image, [[0, 0], height > width ? [0, 0] : more, height > width ? more : [0, 0], [0, 0]]);
  return tf.image.resizeBilinear(padded, [side, side]);
}

const normalized = (tf, images, mean, by) => tf.div(tf.sub(images, tf.tensor1d(mean)), by);

// How much larger the square is than the image: width, height.
function growth(image, side) {
  const [, height, width] = image.shape;
  return [width, height].map((each) => side / Math.round(each * side / Math.max(height, width)));
}

const ordered = ([y1, x1, y2, x2]) => [Math.min(y1, y2), Math.min(x1, x2), Math.max(y1, y2), Math.max(x1, x2)];

function overlap(box, another) {
  const [one, other] = [ordered(box), ordered(another)];
  const along = (first, last) => Math.max(0, Math.min(one[last], other[last]) - Math.max(one[first], other[first]));
  const area = ([y1, x1, y2, x2]) => (y2 - y1) * (x2 - x1);
  const common = along(0, 2) * along(1, 3);
  return common / (area(one) + area(other) - common);
}

// The wrapper's own suppression: a box goes if it overlaps a better one by more than the threshold.
function best(boxes, scores, most, threshold, least) {
  const order = scores.map((score, at) => ({score, at})).filter(({score}) => score > least);
  const kept = [];
  for (const {at} of order.sort((a, b) => b.score - a.score)) {
    const isApart = kept.every((other) => overlap(boxes[at], boxes[other]) <= threshold);
    if (kept.length < most && isApart) kept.push(at);
  }
  return kept;
}

function ssd(tf, {image}, {face_api_ssd: model}) {
  const scaled = tf.sub(tf.mul(squared(tf, image, 512, false), 0.007843137718737125), 1);
  const {offsets, classes, extra_dim} = model(scaled);
  const anchors = tf.squeeze(extra_dim, [0]).arraySync();
  const boxes = tf.squeeze(offsets, [0]).arraySync().map((row, at) => {
    const sides = [0, 1].map((axis) => anchors[at][axis + 2] - anchors[at][axis]);
    const half = [0, 1].map((axis) => Math.exp(row[axis + 2] / 5) * sides[axis] / 2);
    const center = [0, 1].map((axis) => row[axis] / 10 * sides[axis] + anchors[at][axis] + sides[axis] / 2);
    return [center[0] - half[0], center[1] - half[1], center[0] + half[0], center[1] + half[1]];
  });
  const scores = Array.from(tf.sigmoid(tf.slice(classes, [0, 0, 1], [1, -1, 1])).dataSync());
  const kept = best(boxes, scores, 100, 0.5, 0.5);
  const [padX, padY] = growth(image, 512);
  return {
    scores: tf.tensor1d(kept.map((at) => scores[at])),
    boxes: tf.tensor2d(kept.map((at) => {
      const [top, bottom] = [Math.max(0, boxes[at][0]) * padY, Math.min(1, boxes[at][2]) * padY];
      const [left, right] = [Math.max(0, boxes[at][1]) * padX, Math.min(1, boxes[at][3]) * padX];
      return [left, top, right - left, bottom - top];
    })),
  };
}

const ANCHORS = [[1.603231, 2.094468], [6.041143, 7.080126], [2.882459, 3.518061], [4.266906, 5.178857], [9.041765, 10.66308]];

function tiny(tf, {image}, {face_api_tiny: model}) {
  const {cells} = model(normalized(tf, squared(tf, image, 416, false), [117.001, 114.697, 97.404], 256));
  const rows = tf.reshape(cells, [13, 13, 5, 5]).arraySync();
  const [factorX, factorY] = growth(image, 416);
  const sigmoid = (number) => 1 / (1 + Math.exp(-number));
  const found = [];
  rows.forEach((line, y) => line.forEach((place, x) => place.forEach(([dx, dy, wide, tall, logit], anchor) => {
    const width = Math.exp(wide) * ANCHORS[anchor][0] / 13 * factorX;
    const height = Math.exp(tall) * ANCHORS[anchor][1] / 13 * factorY;
    const left = (x + sigmoid(dx)) / 13 * factorX - width / 2;
    const top = (y + sigmoid(dy)) / 13 * factorY - height / 2;
    found.push({score: sigmoid(logit), box: [top, left, top + height, left + width], xywh: [left, top, width, height]});
  })));
  const kept = best(found.map(({box}) => box), found.map(({score}) => score), 845, 0.4, 0.5);
  return {
    scores: tf.tensor1d(kept.map((at) => found[at].score)),
    boxes: tf.tensor2d(kept.map((at) => found[at].xywh)),
  };
}

function landmark68(tf, {image}, {face_api_landmark68: model}) {
  const [, height, width] = image.shape;
  const {landmarks} = model(normalized(tf, squared(tf, image, 112, true), MEAN, 255));
  const scale = 112 / Math.max(height, width);
  const [wide, tall] = [width * scale, height * scale];
  const border = [wide < tall ? (tall - wide) / 2 : 0, tall < wide ? (wide - tall) / 2 : 0];
  const points = tf.reshape(landmarks, [1, 68, 2]);
  return {points: tf.div(tf.sub(tf.mul(points, 112), tf.tensor1d(border)), tf.tensor1d([wide, tall]))};
}

function expression(tf, {image}, {face_api_expression: model}) {
  const {logits} = model(normalized(tf, squared(tf, image, 112, true), MEAN, 255));
  const scores = Array.from(tf.softmax(logits).dataSync(), (score, at) => ({score, name: EXPRESSIONS[at]}));
  scores.sort((a, b) => b.score - a.score);
  return {
    probabilities: tf.tensor2d([scores.map(({score}) => score)]),
    expressions: tf.tensor2d([scores.map(({name}) => name)], [1, 7], 'string'),
  };
}

function ageGender(tf, {image}, {face_api_age_gender: model}) {
  const {years, genders} = model(normalized(tf, squared(tf, image, 112, true), MEAN, 256));
  const [male] = tf.softmax(genders).dataSync();
  return {
    age: tf.reshape(years, [-1]),
    gender: tf.tensor1d([male > 0.5 ? 'male' : 'female'], 'string'),
    gender_probability: tf.tensor1d([male > 0.5 ? male : 1 - male]),
  };
}

function recognition(tf, {image}, {face_api_recognition: model}) {
  return model(normalized(tf, squared(tf, image, 150, true), MEAN, 256));
}

module.exports = {
  'ssd-mobilenetv1': ssd,
  'tiny-face-detector': tiny,
  landmark68,
  expression,
  'age-gender': ageGender,
  recognition,
};
