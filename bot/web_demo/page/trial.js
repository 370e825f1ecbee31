// Takes files to this machine's own Stillthere, and shows the report that it makes of them.

const at = (id) => document.getElementById(id);
const AT_ONCE = 4;
const EVERY = 300;
const STEPS = { reading: "Reading the mail", judging: "Living through the days", writing: "Writing the report" };

async function ask(path, body) {
  const answer = await fetch(path, body === undefined ? {} : { method: "POST", body }).catch(() => null);
  const told = await answer?.json().catch(() => null);
  if (!answer?.ok) throw new Error(told?.problem ?? "A file could not be read, or stillthere has ended in the terminal.");
  return told;
}

// One thing after the other; until all is done, nothing can be pressed.
let last = Promise.resolve();
let waiting = 0;
function inTurn(work) {
  hold(1);
  last = last.then(work).catch((problem) => say(problem.message)).finally(() => hold(-1));
}

function hold(more) {
  waiting += more;
  // Not `disabled`, which would take the keyboard's place away.
  for (const id of ["begin", "clear"]) at(id).setAttribute("aria-disabled", waiting > 0);
}

const press = (work) => () => {
  if (!waiting) inTurn(work);
};

async function* within(entry) {
  if (entry.isFile) {
    const file = await new Promise((done, failed) => entry.file(done, failed));
    yield [entry.fullPath, file];
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return;
    for (const one of some) yield* within(one);
  }
}

async function send(files) {
  const bar = at("progress");
  bar.hidden = false;
  bar.max = files.length;
  bar.value = 0;
  const left = [...files];
  const worker = async () => {
    for (let one = left.shift(); one; one = left.shift()) {
      await ask(`trial/file?name=${encodeURIComponent(one[0])}`, one[1]);
      bar.value += 1;
    }
  };
  const stopping = (problem) => {
    left.length = 0;
    throw problem;
  };
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => worker().catch(stopping)));
  bar.hidden = true;
  await count();
  const failed = ends.find((end) => end.status === "rejected");
  say(failed ? failed.reason.message : "");
}

async function count() {
  const { kinds, skipped } = await ask("trial/state");
  const names = { mail: "mail", mbox: "mailbox file", calendar: "calendar", contacts: "list of contacts" };
  const parts = Object.keys(names).filter((kind) => kinds[kind]).map((kind) => counted(kinds[kind], names[kind]));
  at("clear").hidden = !parts.length && at("result").hidden;
  at("taken").textContent = parts.length || skipped ? `Taken: ${parts.join(", ") || "nothing"}.${skipped ? ` Of no use here: ${skipped}.` : ""}` : "";
}

const counted = (many, one) => `${many.toLocaleString("en")} ${one}${many === 1 ? "" : "s"}`;

function say(text) {
  at("state").textContent = text;
}

async function begin() {
  await ask("trial/begin", at("domain").value);
  at("result").hidden = true;
  await follow();
  if (!at("result").hidden) at("result").scrollIntoView();
}

async function follow() {
  const bar = at("progress");
  for (;;) {
    const told = await ask("trial/state").catch((problem) => {
      bar.hidden = true;
      throw problem;
    });
    bar.hidden = told.step === "failed" || told.step === "done";
    if (bar.hidden) {
      const rows = told.left_out.length ? ` Left out of your list: ${told.left_out.slice(0, 3).join("; ")}${told.left_out.length > 3 ? `; and ${told.left_out.length - 3} more` : ""}.` : "";
      say(told.step === "done" ? `The report is ready. Your files have been removed.${rows}` : `${told.problem} Your files have been removed.`);
      if (told.step === "done") {
        at("report").src = "trial/report";
        at("result").hidden = false;
      }
      await count();
      return;
    }
    if (told.total) {
      bar.max = told.total;
      bar.value = told.done;
    } else bar.removeAttribute("value");
    say(`${STEPS[told.step] ?? told.step}${told.total ? `: ${told.done} of ${told.total}` : ""}`);
    await new Promise((done) => setTimeout(done, EVERY));
  }
}

const drop = at("drop");
drop.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const entries = [...event.dataTransfer.items].map((one) => one.webkitGetAsEntry()).filter(Boolean);
  const files = [...event.dataTransfer.files].map((one) => [one.name, one]);
  take(async () => {
    const found = [];
    for (const entry of entries) for await (const one of within(entry)) found.push(one);
    return found.length ? found : files;
  });
});
for (const id of ["folder", "files"]) {
  at(`pick-${id}`).addEventListener("click", () => at(id).click());
  at(id).addEventListener("change", (event) => {
    const files = [...event.target.files].map((one) => [one.webkitRelativePath || one.name, one]);
    event.target.value = "";
    take(() => files);
  });
}

function take(found) {
  inTurn(async () => {
    say("Your files are being sent. The report can be made as soon as all of them are there.");
    await send(await found());
  });
}

at("begin").addEventListener("click", press(begin));
at("clear").addEventListener("click", press(async () => {
  await ask("trial/clear", "");
  at("result").hidden = true;
  say("");
  await count();
}));

// What was under way before the page was loaded again.
inTurn(async () => {
  const { step } = await ask("trial/state");
  await (step === "waiting" ? count() : follow());
});
