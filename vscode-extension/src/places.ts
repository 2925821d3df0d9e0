/** What tells files apart that have one name: as much of their folders as that takes. Empty where the name is enough. */
export function folders(uris: Iterable<string>): Map<string, string> {
  const named = new Map<string, string[]>();
  for (const uri of new Set(uris)) {
    named.set(fileName(uri), [...(named.get(fileName(uri)) ?? []), uri]);
  }
  const found = new Map<string, string>();
  for (const same of named.values()) {
    for (const uri of same) {
      found.set(uri, same.length === 1 ? "" : ownFolder(uri, same));
    }
  }
  return found;
}

export function fileName(uri: string): string {
  return decoded(uri.slice(uri.lastIndexOf("/") + 1));
}

/** The shortest end of the file's folder that is the end of none of the others' folders. */
function ownFolder(uri: string, same: readonly string[]): string {
  const parts = uri.split("/").slice(0, -1);
  const others = same.filter((one) => one !== uri).map((one) => `/${one.slice(0, one.lastIndexOf("/"))}`);
  for (let start = parts.length - 1; start > 0; start--) {
    const end = parts.slice(start).join("/");
    if (!others.some((other) => other.endsWith(`/${end}`))) {
      return decoded(end);
    }
  }
  return decoded(parts.join("/"));
}

/** A name may hold a `%` that nobody has escaped. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
