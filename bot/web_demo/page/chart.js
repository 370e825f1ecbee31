// The curve of the probability, with the evidence on it.

const NS = "http://www.w3.org/2000/svg";
const HEIGHT = 150;
const LEFT = 52, RIGHT = 8, TOP = 10, BOTTOM = 24;

function shape(name, attributes, content = "") {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (content) made.textContent = content;
  return made;
}

export function draw(place, story, moment) {
  const width = Math.max(place.clientWidth, 240);
  const last = story.moments.length - 1;
  const x = (number) => LEFT + ((width - LEFT - RIGHT) * number) / last;
  const y = (probability) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - probability);
  const svg = shape("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": said(story, moment), preserveAspectRatio: "none" });
  for (const share of [0, 0.5, 1]) {
    svg.append(shape("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(share), y2: y(share) }));
    svg.append(shape("text", { class: "tick end", x: LEFT - 8, y: y(share) + 4 }, `${share * 100} %`));
  }
  months(story).forEach(([number, name]) => svg.append(shape("text", { class: "tick middle", x: x(number), y: HEIGHT - 6 }, name)));
  svg.append(path("curve ahead", story.moments.map((one, number) => [x(number), y(one.probability)])));
  const past = story.moments.slice(0, moment + 1).map((one, number) => [x(number), y(one.probability)]);
  svg.append(path("area", [[LEFT, y(0)], ...past, [x(moment), y(0)]]), path("curve", past));
  svg.append(shape("line", { class: "hand", x1: x(moment), x2: x(moment), y1: TOP, y2: HEIGHT - BOTTOM }));
  for (const mark of story.evidence.filter((one) => one.moment <= moment)) {
    const dot = shape("circle", { class: "dot", cx: x(mark.moment), cy: y(story.moments[mark.moment].probability), r: 5 });
    dot.append(shape("title", {}, mark.sentence));
    svg.append(dot);
  }
  place.replaceChildren(svg);
}

function path(name, points) {
  return shape("path", { class: name, d: points.map(([x, y], number) => `${number ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("") });
}

function months(story) {
  const found = [];
  let before = story.moments[0].at.slice(0, 7);
  story.moments.forEach((one, number) => {
    const month = one.at.slice(0, 7);
    if (month !== before) found.push([number, new Date(one.at).toLocaleDateString("en-GB", { month: "long", timeZone: "UTC" })]);
    before = month;
  });
  return found;
}

function said(story, moment) {
  const now = story.moments[moment];
  return `Probability that Jane has left: ${percent(now.probability)} on ${day(now.at)}. In words below.`;
}

/** Say how probable; nothing is ever quite sure. */
export function percent(probability) {
  const rounded = Math.round(probability * 100);
  return rounded === 100 ? "over 99 %" : rounded === 0 ? "under 1 %" : `${rounded} %`;
}

export const day = (at) =>
  new Date(at).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
