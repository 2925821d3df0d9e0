/** The parameters of `outpace/profile`; see server/outpace_server/lsp/profiles.py. Lines count from 0. */
export interface Profiled {
  readonly uri: string;
  readonly profile: string;
  readonly functions: readonly ProfiledFunction[];
}

export interface ProfiledFunction {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  /** Of a step. */
  readonly share: number;
  readonly label: string;
}

/** Lines of one colour: the functions that hold them take about the same share of a step. */
export interface Stretch {
  readonly level: number;
  readonly first: number;
  readonly last: number;
}

/** From these shares of a step on, a function has the next colour. */
const LEVELS = [0, 0.05, 0.1, 0.25, 0.5] as const;
export const COLOURS = LEVELS.length;

export function levelOf(share: number): number {
  return LEVELS.filter((least) => share >= least).length - 1;
}

/** Each line has the colour of the innermost function that holds it. */
export function stretches(functions: readonly ProfiledFunction[]): Stretch[] {
  const lines = new Map<number, number>();
  const outerFirst = [...functions].sort((a, b) => b.last - b.first - (a.last - a.first));
  for (const { first, last, share } of outerFirst) {
    for (let line = first; line <= last; line++) {
      lines.set(line, levelOf(share));
    }
  }
  const found: { level: number; first: number; last: number }[] = [];
  for (const [line, level] of [...lines].sort(([a], [b]) => a - b)) {
    const before = found.at(-1);
    if (before?.level === level && before.last === line - 1) {
      before.last = line;
    } else {
      found.push({ level, first: line, last: line });
    }
  }
  return found;
}
