// Plays the story: the slider says the moment, and everything else follows it.
import { blocks, element, entered, text } from "./blocks.js";
import { day, draw, percent } from "./chart.js";

const at = (id) => document.getElementById(id);
const TICK = 110;
const REST = 2600;
const TITLE = { active: "Active", slipping: "Slipping", left: "Left", "likely left": "Likely left", quiet: "Quiet", "on leave": "On leave", unchecked: "Unchecked" };
let story;
let moment = 0;
let timer = 0;
let here = null;
let latest = 0;
let pressed = null;
let shown = null;

async function ask(path, body) {
  const answer = await fetch(path, body === undefined ? {} : { method: "POST", body: JSON.stringify(body) });
  const told = await answer.json();
  if (told.problem) throw new Error(told.problem);
  return told;
}

const clock = (stamp) => new Date(stamp).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });
const short = (stamp) => new Date(stamp).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const chapter = () => story.chapters.filter((one) => one.moment <= moment).length - 1;

function show(to) {
  const forward = to > moment;
  moment = Math.min(Math.max(to, 0), story.moments.length - 1);
  const now = story.moments[moment];
  const { title, moral } = story.chapters[chapter()];
  const slider = at("slider");
  slider.value = moment;
  slider.setAttribute("aria-valuetext", `${day(now.at)}: ${TITLE[now.verdict]}`);
  at("date").textContent = day(now.at);
  const said = [title, moral].filter(Boolean).join(". ").replace("..", ".");
  if (at("chapter").textContent !== said) at("chapter").textContent = said;
  at("verdict").textContent = `Jane: ${TITLE[now.verdict]}`;
  at("verdict").className = `verdict ${now.verdict.replace(" ", "-")}`;
  at("back").disabled = moment === 0;
  at("next").disabled = moment === story.moments.length - 1;
  draw(at("chart"), story, moment);
  calendar(now.at);
  inbox(now.at);
  converse(here ?? story.conversations[now.conversation], forward);
}

function calendar(now) {
  const known = story.meetings.filter((one) => one.at <= now);
  if (!known.length) return at("calendar").replaceChildren();
  const days = known.map((one) => short(one.start));
  const moved = days.slice(0, -1).map((one) => element("s", {}, one));
  const note = known.length > 1 ? ` moved ${known.length - 1}\u00d7 by Jane` : "";
  return at("calendar").replaceChildren(
    element("div", { class: "meeting" },
      element("p", { class: "soft" }, "Calendar: Acme rollout, call"),
      element("p", {}, ...moved, element("strong", {}, days.at(-1)), element("span", { class: "soft" }, note))));
}

function inbox(now) {
  const arrived = story.letters.filter((one) => one.at <= now).reverse();
  const newest = chapter();
  at("inbox").replaceChildren(...arrived.slice(0, 8).map((one) => {
    const kind = one.kind ? element("span", { class: one.kind === "invitation" ? "chip" : "chip bad" }, one.kind) : undefined;
    return element("li", { class: one.chapter === newest && (newest > 0 || one === arrived[0]) ? "new" : undefined },
      element("p", { class: "head" }, element("strong", {}, one.sent ? `To ${one.to}` : one.from), element("span", { class: "soft" }, short(one.at))),
      element("p", {}, one.subject, " ", kind),
      element("p", { class: "soft" }, one.text || (one.kind === "invitation" ? "(no word with it)" : "")));
  }));
}

/** Show a conversation; one that stands there already stays, and so does the focus of whoever reads it. */
function converse(messages, forward) {
  if (messages === shown) return;
  shown = messages;
  const place = at("slack");
  const reading = document.activeElement.closest("#slack article");
  const focus = reading && { ts: reading.dataset.ts, action: document.activeElement.dataset.action };
  const seen = new Set([...place.querySelectorAll("[data-ts]")].map((one) => one.dataset.ts));
  if (!messages.length) {
    place.replaceChildren(element("p", { class: "none" }, "Nothing yet. One push of a meeting is normal life: Stillthere keeps quiet until there is something to say."));
    return;
  }
  place.replaceChildren(...messages.map((one) => {
    const notes = [clock(one.at), one.edited ? "edited" : "", one.private ? "only visible to you" : "", one.thread ? "in the thread" : ""];
    const name = ["message", one.thread && "reply", one.private && "private", forward && !seen.has(one.ts) && "new"].filter(Boolean).join(" ");
    const press = (action) => {
      pressed = { ts: one.ts, action: action.action_id };
      act({ ts: one.ts, action });
    };
    const body = one.blocks.length ? blocks(one.blocks, story.users, press) : [element("div", { class: "block" }, ...text({ type: "mrkdwn", text: one.text }, story.users))];
    return element("article", { class: name, "data-ts": one.ts, tabindex: "-1" },
      element("img", { src: "files/icon.svg", alt: "", width: "36", height: "36" }),
      element("div", {}, element("p", { class: "by" }, "Stillthere", element("span", {}, `${short(one.at)}, ${notes.filter(Boolean).join(" \u00b7 ")}`)), ...body));
  }));
  if (focus) enter(focus);
}

/** Give the focus to a control of a message, or to the message where the control is gone. */
function enter({ ts, action }) {
  const message = [...at("slack").querySelectorAll("article")].find((one) => one.dataset.ts === ts);
  const control = message && [...message.querySelectorAll("[data-action]")].find((one) => one.dataset.action === action);
  (control ?? message)?.focus();
}

/** Load the story anew; what was asked for later counts. */
async function renew() {
  latest += 1;
  const mine = latest;
  const told = await ask("story");
  if (mine !== latest) return;
  story = told;
  here = null;
  show(moment);
}

/** Give the focus back to what was pressed; a dialog that was just closed still holds it. */
function refocus() {
  const modal = at("modal");
  const lost = document.activeElement === document.body || modal.contains(document.activeElement);
  if (pressed && lost && !modal.open) enter(pressed);
}

async function act(what) {
  stop();
  try {
    const told = await ask("press", { moment, ...what });
    if (Object.keys(told.errors).length) return wrong(told.errors);
    here = told.conversation;
    converse(here, true);
    told.view ? ajar(told.view) : at("modal").close();
    await renew();
    refocus();
  } catch (problem) {
    at("modal").close();
    at("chapter").textContent = problem.message;
  }
}

function ajar(view) {
  const modal = at("modal");
  const send = (event) => {
    event.preventDefault();
    act({ values: entered(modal) });
  };
  const shut = () => modal.close();
  const press = (action) => act({ action });
  modal.replaceChildren(
    element("form", { onsubmit: send },
      element("h2", { id: "modal-title" }, view.title.text),
      ...blocks(view.blocks, story.users, press),
      element("p", { class: "wrong", role: "alert", id: "wrong" }),
      element("p", { class: "controls" },
        ...(view.submit ? [element("button", { class: "go" }, view.submit.text)] : []),
        element("button", { type: "button", onclick: shut }, view.close?.text ?? "Close"))));
  if (!modal.open) modal.showModal();
}

function wrong(errors) {
  at("wrong").textContent = Object.values(errors).join(" ");
}

function stop() {
  clearTimeout(timer);
  timer = 0;
  at("play").textContent = moment === story.moments.length - 1 ? "Play again" : "Play the story";
}

function play() {
  if (moment === story.moments.length - 1) return stop();
  show(moment + 1);
  const rests = story.chapters.some((one) => one.moment === moment);
  timer = setTimeout(play, rests ? REST : TICK);
  return undefined;
}

function toggle() {
  if (timer) return stop();
  if (moment === story.moments.length - 1) show(0);
  at("play").textContent = "Pause";
  timer = setTimeout(play, TICK);
  return undefined;
}

function go(to) {
  stop();
  here = null;
  pressed = null;
  show(to);
  stop();
}

function words() {
  const lines = story.chapters.map((one) => {
    const then = story.moments[one.moment];
    return element("li", {}, `${day(then.at)}: ${one.title}. ${TITLE[then.verdict]}, ${percent(then.probability)}: ${then.headline}.`);
  });
  at("words").replaceChildren(element("ol", {}, ...lines));
}

story = await ask("story");
at("slider").max = story.moments.length - 1;
at("modal").addEventListener("close", refocus);
at("slider").addEventListener("input", (event) => go(Number(event.target.value)));
at("play").addEventListener("click", toggle);
at("next").addEventListener("click", () => go(story.chapters.find((one) => one.moment > moment)?.moment ?? story.moments.length - 1));
at("back").addEventListener("click", () => go(story.chapters.findLast((one) => one.moment < moment)?.moment ?? 0));
at("restart").addEventListener("click", async () => {
  await ask("restart", {});
  go(0);
  await renew();
});
new ResizeObserver(() => draw(at("chart"), story, moment)).observe(at("chart"));
words();
show(0);
document.body.dataset.ready = "yes";
