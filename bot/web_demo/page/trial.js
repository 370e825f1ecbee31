// Takes files to this machine's own Stillthere, and shows the report that it makes of them.

const at = (id) => document.getElementById(id);
const AT_ONCE = 4;
const EVERY = 300;
const STEPS = { reading: "Reading the mail", judging: "Living through the days", writing: "Writing the report" };

async function ask(path, body) {
  const answer = await fetch(path, body === undefined ? {} : { method: "POST", body });
  const told = await answer.json();
  if (told.problem) throw new Error(told.problem);
  return told;
}

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
  say("");
  const waiting = [...files];
  const worker = async () => {
    for (let one = waiting.shift(); one; one = waiting.shift()) {
      await ask(`trial/file?name=${encodeURIComponent(one[0])}`, one[1]);
      bar.value += 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } catch (problem) {
    waiting.length = 0;
    say(problem.message);
  }
  bar.hidden = true;
  await count();
}

async function count() {
  const { kinds, skipped } = await ask("trial/state");
  const names = { mail: "mail", mbox: "mailbox file", calendar: "calendar", contacts: "list of contacts" };
  const parts = Object.entries(kinds).map(([kind, many]) => counted(kind === "contacts" ? 1 : many, names[kind]));
  at("clear").hidden = !parts.length && at("result").hidden;
  at("taken").textContent = parts.length || skipped ? `Taken: ${parts.join(", ") || "nothing"}.${skipped ? ` Of no use here: ${skipped}.` : ""}` : "";
}

const counted = (many, one) => `${many.toLocaleString("en")} ${one}${many === 1 ? "" : "s"}`;

function say(text) {
  at("state").textContent = text;
}

async function begin() {
  try {
    await ask("trial/begin", at("domain").value);
    at("result").hidden = true;
    await follow();
  } catch (problem) {
    say(problem.message);
  }
}

async function follow() {
  const bar = at("progress");
  bar.hidden = false;
  for (;;) {
    const told = await ask("trial/state");
    if (told.step === "failed" || told.step === "done") {
      bar.hidden = true;
      const rows = told.left_out.length ? ` Left out of your list: ${told.left_out.slice(0, 3).join("; ")}${told.left_out.length > 3 ? `; and ${told.left_out.length - 3} more` : ""}.` : "";
      say(told.step === "done" ? `The report is ready. Your files have been removed.${rows}` : told.problem);
      if (told.step === "done") {
        at("report").src = "trial/report";
        at("result").hidden = false;
        at("result").scrollIntoView();
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
drop.addEventListener("drop", async (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const entries = [...event.dataTransfer.items].map((one) => one.webkitGetAsEntry()).filter(Boolean);
  const found = [];
  for (const entry of entries) for await (const one of within(entry)) found.push(one);
  await send(found.length ? found : [...event.dataTransfer.files].map((one) => [one.name, one]));
});
for (const id of ["folder", "files"]) {
  at(`pick-${id}`).addEventListener("click", () => at(id).click());
  at(id).addEventListener("change", (event) => send([...event.target.files].map((one) => [one.webkitRelativePath || one.name, one])));
}
at("begin").addEventListener("click", begin);
at("clear").addEventListener("click", async () => {
  await ask("trial/clear", "");
  at("result").hidden = true;
  say("");
  await count();
});
