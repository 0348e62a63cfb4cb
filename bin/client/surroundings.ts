/** A stream that text is written to. */
export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** Everything the client takes from the process it runs in: given, so that a test can be one. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Data, and nothing else. */
  readonly stdout: TextSink;
  /** Everything else. */
  readonly stderr: TextSink & NodeJS.WritableStream;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}
