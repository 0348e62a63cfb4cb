#!/usr/bin/env node
// Starts the client from its TypeScript source, from any folder: the loader comes with the checkout, and no configuration of the
// caller's folder is read.
import { register } from 'tsx/esm/api';

register({ tsconfig: false });
const { runInTerminal } = await import('./valiza.ts');
await runInTerminal();
