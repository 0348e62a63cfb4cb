import { randomUUID } from 'node:crypto';
import { ServiceError, notImplemented, type Host } from '../../service.ts';
import { KeyStore } from './key-store.ts';
import { newMaterial, rotated, type Key, type KeySettings, type StoredKey } from './key.ts';
import { newKeyPair } from './signing.ts';

interface Alias {
  readonly keyId: string;
  readonly owner: string;
}

/** A key, and the alias by which it was asked for, if it was. */
export interface FoundKey {
  readonly key: Key;
  readonly alias: string | undefined;
}

const DAY = 24 * 60 * 60 * 1000;
const notFound = (message: string): ServiceError => new ServiceError('NotFoundException', message);

/** All keys and aliases of the account. */
export class KeyRing {
  readonly #host: Host;
  readonly #store: KeyStore;
  readonly #keys = new Map<string, Key>();
  /** Keys as they were before their last change of state, until that has taken effect. */
  readonly #before = new Map<string, { readonly key: Key; readonly until: number }>();
  readonly #aliases = new Map<string, Alias>();

  constructor(host: Host) {
    this.#host = host;
    this.#store = new KeyStore(host.dataDirectory);
  }

  /** Creates the key of a resource, or finds the one that was made for it before and applies the settings. */
  put(stackName: string, logicalId: string, settings: KeySettings): Key {
    const now = this.#host.clock.now();
    const { keySpec } = settings;
    const before = this.#existing(stackName, logicalId, now);
    // CloudFormation would replace the key: what the old one protects would be lost, and that is not to happen by the way.
    if (before !== undefined && (before.keySpec ?? 'SYMMETRIC_DEFAULT') !== keySpec) {
      throw notImplemented(`a key (${logicalId}) whose KeySpec changes`);
    }
    const stored: StoredKey = {
      ...(before ?? {
        stackName,
        logicalId,
        keyId: randomUUID(),
        createdAt: now,
        keySpec,
        materials: [newMaterial(1, now, keySpec === 'SYMMETRIC_DEFAULT' ? undefined : newKeyPair(keySpec))],
        deletionDate: undefined,
      }),
      rotationEnabledAt: settings.rotationPeriodInDays === undefined ? undefined : (before?.rotationEnabledAt ?? now),
    };
    this.#store.save(stored);
    const key: Key = { arn: this.#arn(`key/${stored.keyId}`), stored, settings };
    this.#keys.set(stored.keyId, key);
    return key;
  }

  /** @throws AlreadyExistsException when another resource has this alias, NotFoundException when the target is unknown */
  setAlias(name: string, target: string, owner: string): void {
    const { key, alias } = this.find(target);
    if (alias !== undefined) throw new ServiceError('ValidationException', 'Aliases must refer to keys, not aliases');
    const existing = this.#aliases.get(name);
    if (existing !== undefined && existing.owner !== owner) {
      throw new ServiceError('AlreadyExistsException', `An alias with the name ${this.#arn(name)} already exists`);
    }
    this.#aliases.set(name, { keyId: key.stored.keyId, owner });
  }

  /** Names of the aliases that refer to a key. */
  aliasesOf(key: Key): readonly string[] {
    return [...this.#aliases].filter(([, alias]) => alias.keyId === key.stored.keyId).map(([name]) => name);
  }

  /**
   * The key that a `KeyId` parameter means: key id, key ARN, alias name or alias ARN.
   * https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id
   * @throws NotFoundException
   */
  find(reference: string): FoundKey {
    const id = this.#localName(reference);
    if (!id.startsWith('alias/')) return { key: this.#byId(id), alias: undefined };
    if (id.startsWith('alias/aws/')) throw notImplemented(`AWS managed keys (${id})`);
    const alias = this.#aliases.get(id);
    if (alias === undefined) throw notFound(`Alias ${this.#arn(id)} is not found.`);
    return { key: this.#byId(alias.keyId), alias: id };
  }

  /** The key after any rotation that is due. */
  rotate(key: Key): Key {
    const stored = rotated(key.stored, key.settings.rotationPeriodInDays, this.#host.clock.now());
    return stored === key.stored ? key : this.#replace(key, stored);
  }

  /**
   * What CloudFormation does with a key whose resource is removed: it can no longer be used, and is destroyed after the waiting period.
   * https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html
   */
  scheduleDeletion(reference: string): void {
    const { key } = this.find(reference);
    const now = this.#host.clock.now();
    this.#before.set(key.stored.keyId, { key, until: now + this.#host.faults.keyChangeLag });
    this.#replace(key, { ...key.stored, deletionDate: now + key.settings.pendingWindowInDays * DAY });
  }

  /** The key as callers use it now: a change of its state takes a while to be seen everywhere. */
  inEffect(key: Key): Key {
    const before = this.#before.get(key.stored.keyId);
    if (before === undefined) return key;
    if (this.#host.clock.now() < before.until) return before.key;
    this.#before.delete(key.stored.keyId);
    return key;
  }

  #replace(key: Key, stored: StoredKey): Key {
    this.#store.save(stored);
    const changed = { ...key, stored };
    this.#keys.set(stored.keyId, changed);
    return changed;
  }

  #existing(stackName: string, logicalId: string, now: number): StoredKey | undefined {
    const stored = this.#store.load(stackName, logicalId);
    return stored !== undefined && this.#isGone(stored, now) ? undefined : stored;
  }

  #byId(keyId: string): Key {
    const key = this.#keys.get(keyId);
    if (key === undefined || this.#isGone(key.stored, this.#host.clock.now())) {
      throw notFound(`Key '${this.#arn(`key/${keyId}`)}' does not exist`);
    }
    return key;
  }

  /** Destroys the key when its waiting period is over. */
  #isGone(stored: StoredKey, now: number): boolean {
    if (stored.deletionDate === undefined || now < stored.deletionDate) return false;
    this.#keys.delete(stored.keyId);
    this.#store.remove(stored);
    return true;
  }

  #localName(reference: string): string {
    if (!reference.startsWith('arn:')) {
      if (/^(alias\/[\w/-]+|[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12})$/.test(reference)) return reference;
      throw notFound(`Invalid keyId '${reference}'`);
    }
    const [, , service, region, account, resource = ''] = reference.split(':');
    if (service !== 'kms' || account !== this.#host.account || !/^(key\/|alias\/)/.test(resource)) {
      throw notFound(`Invalid arn ${reference}`);
    }
    if (region !== this.#host.region) throw notFound(`Invalid arn ${region}`);
    return resource.replace(/^key\//, '');
  }

  #arn(resource: string): string {
    return `arn:aws:kms:${this.#host.region}:${this.#host.account}:${resource}`;
  }
}
