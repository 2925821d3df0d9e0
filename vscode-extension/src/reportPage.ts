/** The answer to `outpace/report`; see server/outpace_server/lsp/methods/report.py. */
export interface Report {
  readonly title: string;
  readonly style: string;
  /** Markup in which every value is escaped already. */
  readonly body: string;
}

/** The report's colours and fonts, by those of the editor's theme. */
const THEME = `
:root { color-scheme: normal; --ink: var(--vscode-editor-foreground); --soft: var(--vscode-descriptionForeground);
  --paper: var(--vscode-editor-background); --field: var(--vscode-textCodeBlock-background);
  --edge: var(--vscode-widget-border, var(--vscode-contrastBorder, var(--vscode-editorRuler-foreground)));
  --base: var(--vscode-descriptionForeground); --cand: var(--vscode-charts-blue);
  --good: var(--vscode-gitDecoration-addedResourceForeground); --bad: var(--vscode-editorError-foreground);
  --band: color-mix(in srgb, var(--vscode-charts-blue) 20%, transparent); }
html { font-size: var(--vscode-font-size); }
body { font-family: var(--vscode-font-family); padding-top: 1.25rem; }
svg { font-family: var(--vscode-font-family); }
pre, code { font-family: var(--vscode-editor-font-family); background-color: transparent; color: inherit; }
pre { background: var(--field); }
figure, pre { border: 1px solid var(--vscode-contrastBorder, transparent); }
.vscode-high-contrast { --soft: var(--ink); --base: var(--ink); --band: transparent; }
.vscode-high-contrast .band { stroke: var(--cand); }
.vscode-high-contrast .dot { fill-opacity: 1; }
:focus-visible { outline: 1px solid var(--vscode-focusBorder); outline-offset: 2px; }
`;

/** A whole document for a webview: nothing is loaded, nothing runs, and no style but these two applies. */
export function reportPage(report: Report, nonce: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'nonce-${nonce}'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(report.title)}</title>
<style nonce="${nonce}">${report.style}${THEME}</style>
</head><body>${report.body}</body></html>`;
}

/** An audit's tab names the target alone; the page has the rest. */
export function tabTitle(id: string, title: string): string {
  const page = id.startsWith("profile-") || id.startsWith("night-");
  return page ? title.charAt(0).toUpperCase() + title.slice(1) : `Audit of ${title.split(":", 1)[0]}`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
