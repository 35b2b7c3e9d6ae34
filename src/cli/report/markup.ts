/** Markup that is safe to put into a page as it is. */
export interface Markup {
  readonly markup: string;
}

type Piece = Markup | readonly Markup[] | string | number;

/** A template whose values are escaped, unless they are markup themselves: data may be called `<script>`. */
export function html(literals: TemplateStringsArray, ...values: readonly Piece[]): Markup {
  return { markup: String.raw({ raw: literals }, ...values.map(render)) };
}

/** Text that is markup already and comes from this program, never from data. */
export function trusted(markup: string): Markup {
  return { markup };
}

function render(piece: Piece): string {
  if (typeof piece === 'string' || typeof piece === 'number') return escaped(String(piece));
  return 'markup' in piece ? piece.markup : piece.map(({ markup }) => markup).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Control characters have no place in a page; what is left is text wherever it stands. */
function escaped(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
      .replace(/[&<>"']/g, (character) => entities[character]!)
  );
}
