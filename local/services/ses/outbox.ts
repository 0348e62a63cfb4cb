import { DurableJson } from '../durable-json.ts';

/** A mail that was accepted for sending. It goes nowhere: it can be read here. */
export interface SentMail {
  readonly id: string;
  /** ISO 8601, UTC, virtual. */
  readonly time: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string | undefined;
  readonly html: string | undefined;
  readonly headers: readonly { readonly Name: string; readonly Value: string }[];
}

/** Everything that was sent, oldest first; kept in the data directory where there is one. */
export class Outbox {
  readonly #state: DurableJson<SentMail[]>;

  constructor(dataDirectory: string | undefined) {
    this.#state = new DurableJson(dataDirectory, 'ses-outbox.json', []);
  }

  add(mail: SentMail): void {
    this.#state.value.push(mail);
    this.#state.save();
  }

  list(): readonly SentMail[] {
    return this.#state.value;
  }

  /** A page for a browser, newest first. Bodies are shown as text: nothing that a mail contains is executed or fetched. */
  toHtml(): string {
    const mails = [...this.list()].reverse().map(article).join('\n');
    return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Outbox</title>
<style>body{font-family:system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}article{border-top:1px solid #999}pre{white-space:pre-wrap}</style>
</head>
<body><h1>Outbox</h1>
${mails || '<p>No mail has been sent.</p>'}
</body>
</html>
`;
  }

  toJson(): string {
    return JSON.stringify({ mails: this.list() });
  }
}

const article = (mail: SentMail): string => `<article id="${escape(mail.id)}">
<h2>${escape(mail.subject)}</h2>
<p><time>${escape(mail.time)}</time> from ${escape(mail.from)} to ${escape(mail.to.join(', '))}</p>
${mail.headers.map(({ Name, Value }) => `<p>${escape(Name)}: ${escape(Value)}</p>`).join('\n')}
${mail.text === undefined ? '' : `<pre>${escape(mail.text)}</pre>`}
${mail.html === undefined ? '' : `<details><summary>HTML</summary><pre>${escape(mail.html)}</pre></details>`}
</article>`;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
