import { fileName, folders } from "./places";

/** The parameters of `outpace/speedups`; see server/outpace_server/lsp/speedups.py. */
export interface Speedups {
  readonly targets: readonly Target[];
  readonly running: readonly Run[];
  /** What gains most for the whole step first; where no profile says, the surest gain. */
  readonly speedups: readonly Speedup[];
}

export interface Target {
  readonly uri: string;
  readonly name: string;
  readonly line: number;
  readonly trouble: string;
  readonly measured: boolean;
  /** Why the last measurement of this very text brought no verdict; empty where it did, or there was none. */
  readonly outcome: string;
}

export interface Run {
  readonly uri: string;
  readonly title: string;
  readonly message: string;
}

export interface Speedup {
  readonly id: string;
  readonly uri: string;
  readonly line: number;
  readonly target: string;
  readonly title: string;
  readonly rule: string;
  readonly gain: string;
  /** What it comes to for a whole step; empty where no profile says. */
  readonly step: string;
  readonly numerics: string | null;
  readonly level: string | null;
  readonly state: "offered" | "applied" | "confirmed" | "rejected";
  readonly reason: string;
}

export interface Group {
  readonly label: string;
  readonly open: boolean;
  readonly items: readonly Item[];
}

/** One line of the tree. `kind` decides what can be done with it. */
export interface Item {
  readonly key: string;
  readonly kind: "target" | "running" | Speedup["state"];
  readonly uri: string;
  readonly line: number;
  /** Of the verdict; empty where there is none. */
  readonly id: string;
  readonly label: string;
  readonly description: string;
  /** In full, for the pointer and the screen reader. */
  readonly words: string;
  readonly icon: string;
}

const MADE = { offered: "", applied: "applied, being measured again", confirmed: "applied, measured again in place" };
/** The same in the width of a side bar. */
const MADE_SHORT = { offered: "", applied: "applied, measuring", confirmed: "applied, confirmed" };
const ICONS = { offered: "zap", applied: "edit", confirmed: "check", rejected: "circle-slash" };

/** What tells an item's file, or its target, from another one of the same name; empty where nothing has to. */
type Place = (uri: string, target?: string) => string;

/** What there is, most wanted first; groups without anything are left out. */
export function groups(content: Speedups): Group[] {
  const place = placesOf(content);
  const accepted = content.speedups.filter((one) => one.state !== "rejected");
  const rejected = content.speedups.filter((one) => one.state === "rejected");
  const all = [
    { label: "Running", open: true, items: content.running.map((one) => run(one, place)) },
    { label: "Accepted", open: true, items: accepted.map((one) => speedup(one, place)) },
    { label: "Targets", open: true, items: content.targets.map((one) => target(one, place)) },
    { label: "Rejected", open: false, items: rejected.map((one) => speedup(one, place)) },
  ];
  return all.filter((group) => group.items.length > 0);
}

/** How far the user has come, for the steps of the walkthrough (package.json). */
export function progress({ targets, speedups }: Speedups): Readonly<Record<string, boolean>> {
  return {
    "outpace.targetsFound": targets.some((one) => one.name !== ""),
    "outpace.measured": targets.some((one) => one.measured) || speedups.length > 0,
    "outpace.applied": speedups.some((one) => one.state === "applied" || one.state === "confirmed"),
  };
}

function placesOf({ targets, running, speedups }: Speedups): Place {
  const folder = folders([...targets, ...running, ...speedups].map((one) => one.uri));
  const homes = new Map<string, Set<string>>();
  const named = [...targets, ...speedups.map(({ target: name, uri }) => ({ name, uri }))];
  for (const { name, uri } of named) {
    homes.set(name, (homes.get(name) ?? new Set()).add(uri));
  }
  return (uri, name) => {
    const shared = name !== undefined && name !== "" && (homes.get(name)?.size ?? 0) > 1;
    return [folder.get(uri) ?? "", shared ? fileName(uri) : ""].filter((part) => part !== "").join("/");
  };
}

function joined(...parts: string[]): string {
  return parts.filter((part) => part !== "").join(", ");
}

function run({ uri, title, message }: Run, place: Place): Item {
  const where = place(uri);
  const words = joined(message ? `${title}: ${message}` : title, where);
  const key = `running ${title} ${uri}`;
  const label = fileName(uri);
  return { key, kind: "running", uri, line: 0, id: "", label, description: joined(where, message), words, icon: "sync~spin" };
}

function speedup(one: Speedup, place: Place): Item {
  const { id, uri, line, state: kind } = one;
  const key = `speedup ${id}`;
  const where = place(uri, one.target);
  if (one.state === "rejected") {
    const words = `${one.target}: ${one.title}, rejected. ${one.reason}${one.gain ? ` (${one.gain})` : ""}${where && `, ${where}`}`;
    const description = joined(one.target, where, one.reason);
    return { key, kind, uri, line, id, label: one.rule, description, words, icon: ICONS.rejected };
  }
  const made = MADE[one.state];
  const details = joined(one.step, `${one.numerics}, audited to ${one.level}`, made, where || fileName(uri));
  const words = `${one.gain} ${one.target}: ${one.title}. ${details}`;
  const description = joined(one.target, where, one.step, MADE_SHORT[one.state]);
  return { key, kind, uri, line, id, label: one.gain, description, words, icon: ICONS[one.state] };
}

function target({ uri, name, line, trouble, measured, outcome }: Target, place: Place): Item {
  const file = fileName(uri);
  const where = place(uri, name);
  const description = joined(trouble || (measured ? "measured" : outcome || "not measured"), where);
  const label = name || file;
  const icon = trouble ? "warning" : name && measured ? "target" : "circle-outline";
  const words = `${label}, ${description}${name && !where ? `, ${file}` : ""}`;
  return { key: `target ${uri}`, kind: "target", uri, line, id: "", label, description, words, icon };
}
