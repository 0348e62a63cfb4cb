import { DurableJson } from '../durable-json.ts';
import type { KeyMaterial, StoredKey } from './key.ts';

type Written = Omit<StoredKey, 'materials'> & {
  readonly materials: readonly (Omit<KeyMaterial, 'secret'> & { readonly secret: string })[];
};

const write = (stored: StoredKey): Written => ({
  ...stored,
  materials: stored.materials.map((material) => ({ ...material, secret: material.secret.toString('base64') })),
});

const read = (written: Written): StoredKey => ({
  ...written,
  materials: written.materials.map((material) => ({ ...material, secret: Buffer.from(material.secret, 'base64') })),
});

const nameOf = (stackName: string, logicalId: string): string => `${stackName}/${logicalId}`;

/** Keeps keys between starts, known by the resource of the template, in a file that only its owner can read. */
export class KeyStore {
  readonly #file: DurableJson<Record<string, Written>>;

  constructor(dataDirectory: string | undefined) {
    this.#file = new DurableJson<Record<string, Written>>(dataDirectory, 'kms.json', {});
  }

  /** The key that was made for this resource, by this start or an earlier one. */
  load(stackName: string, logicalId: string): StoredKey | undefined {
    const written = this.#file.value[nameOf(stackName, logicalId)];
    return written === undefined ? undefined : read(written);
  }

  /** Call before the key is used: what it seals must open after a crash. */
  save(stored: StoredKey): void {
    this.#file.value[nameOf(stored.stackName, stored.logicalId)] = write(stored);
    this.#file.save();
  }

  /** Destroys a key for good. */
  remove(stored: StoredKey): void {
    delete this.#file.value[nameOf(stored.stackName, stored.logicalId)];
    this.#file.save();
  }
}
