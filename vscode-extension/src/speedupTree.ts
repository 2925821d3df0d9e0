/** The parameters of `outpace/speedups`; see server/outpace_server/lsp/speedups.py. */
export interface Speedups {
  readonly targets: readonly Target[];
  readonly running: readonly Run[];
  /** The surest gain first. */
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

/** What there is, most wanted first; groups without anything are left out. */
export function groups(content: Speedups): Group[] {
  const accepted = content.speedups.filter((one) => one.state !== "rejected");
  const rejected = content.speedups.filter((one) => one.state === "rejected");
  const all = [
    { label: "Running", open: true, items: content.running.map(run) },
    { label: "Accepted", open: true, items: accepted.map(speedup) },
    { label: "Targets", open: true, items: content.targets.map(target) },
    { label: "Rejected", open: false, items: rejected.map(speedup) },
  ];
  return all.filter((group) => group.items.length > 0);
}

function run({ uri, title, message }: Run): Item {
  const words = message ? `${title}: ${message}` : title;
  const key = `running ${title} ${uri}`;
  const label = fileName(uri);
  return { key, kind: "running", uri, line: 0, id: "", label, description: message, words, icon: "sync~spin" };
}

function speedup(one: Speedup): Item {
  const { id, uri, line, state: kind } = one;
  const key = `speedup ${id}`;
  if (one.state === "rejected") {
    const words = `${one.target}: ${one.title}, rejected. ${one.reason}${one.gain ? ` (${one.gain})` : ""}`;
    const description = `${one.target}, ${one.reason}`;
    return { key, kind, uri, line, id, label: one.rule, description, words, icon: ICONS.rejected };
  }
  const made = MADE[one.state];
  const details = [one.step, `${one.numerics}, audited to ${one.level}`, made, fileName(uri)].filter((part) => part !== "");
  const words = `${one.gain} ${one.target}: ${one.title}. ${details.join(", ")}`;
  const description = [one.target, one.step, MADE_SHORT[one.state]].filter((part) => part !== "").join(", ");
  return { key, kind, uri, line, id, label: one.gain, description, words, icon: ICONS[one.state] };
}

function target({ uri, name, line, trouble, measured, outcome }: Target): Item {
  const file = fileName(uri);
  const description = trouble || (measured ? "measured" : outcome || "not measured");
  const label = name || file;
  const icon = trouble ? "warning" : name && measured ? "target" : "circle-outline";
  const words = `${label}, ${description}${name ? `, ${file}` : ""}`;
  return { key: `target ${uri}`, kind: "target", uri, line, id: "", label, description, words, icon };
}

function fileName(uri: string): string {
  return decodeURIComponent(uri.slice(uri.lastIndexOf("/") + 1));
}
