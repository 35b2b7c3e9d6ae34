import { createHash } from 'node:crypto';
import { html, type Markup, trusted } from './markup.js';
import { style } from './style.js';

/**
 * One HTML file that loads nothing: no script, no font, no picture from elsewhere; its own content policy forbids them.
 *
 * @param body - what stands in its `main`
 */
export function pageOf(title: string, body: Markup): string {
  const allowed = `sha256-${createHash('sha256').update(style).digest('base64')}`;
  const policy = `default-src 'none'; img-src data:; style-src '${allowed}'; base-uri 'none'; form-action 'none'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${trusted(style)}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`.markup;
}
