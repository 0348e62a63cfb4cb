import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../../infra/app.ts';
import type { Environment } from '../../infra/environments/schema.ts';
import { readTemplates, type Templates } from './template.ts';

/** The flags that the application itself is synthesised with. */
const context = (): Record<string, unknown> =>
  (JSON.parse(readFileSync(join(__dirname, '..', '..', 'cdk.json'), 'utf8')) as { context: Record<string, unknown> })
    .context;

/** Synthesises an environment in this process, with placeholders for the functions' code. Loading the construct library takes seconds. */
export function templatesOf(environment: Environment): Templates {
  const outdir = mkdtempSync(join(tmpdir(), 'template-'));
  try {
    const { app, vault, exchange } = build({ context: context(), outdir }, { environment, nag: false });
    const assembly = app.synth();
    const templateOf = (artifactId: string) =>
      assembly.getStackArtifact(artifactId).template as Record<string, unknown>;
    return readTemplates(environment, {
      vault: templateOf(vault.artifactId),
      exchange: templateOf(exchange.artifactId),
    });
  } finally {
    rmSync(outdir, { recursive: true });
  }
}
