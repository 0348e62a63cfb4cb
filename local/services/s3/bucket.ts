import { join } from 'node:path';
import type { PolicyDocument } from '../../iam/policy.ts';
import { DataFiles } from './data-files.ts';
import type { Encryption } from './encryption.ts';
import { ObjectStore } from './object-store.ts';
import { UploadStore } from './upload-store.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html */
export interface LifecycleRule {
  readonly prefix: string;
  /** Bytes. https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-filters.html */
  readonly sizeLessThan: number | undefined;
  readonly expirationInDays: number | undefined;
  readonly abortUploadsAfterDays: number | undefined;
}

/** What the template says of a bucket. */
export interface BucketSettings {
  readonly encryption: Encryption;
  readonly blockPublicPolicy: boolean;
  /** Enabled rules only. */
  readonly lifecycle: readonly LifecycleRule[];
}

/** A bucket with its objects. */
export class Bucket {
  readonly name: string;
  readonly arn: string;
  /** The resource of the template that it belongs to. */
  readonly owner: string;
  settings: BucketSettings;
  policy: { readonly owner: string; readonly document: PolicyDocument } | undefined;
  readonly files: DataFiles;
  readonly objects: ObjectStore;
  readonly uploads: UploadStore;

  /**
   * @param name follows the bucket naming rules, so it is safe as a directory name
   * @param directory of all buckets
   */
  constructor(name: string, owner: string, settings: BucketSettings, directory: string, durable: boolean) {
    this.name = name;
    this.arn = `arn:aws:s3:::${name}`;
    this.owner = owner;
    this.settings = settings;
    const own = join(directory, name);
    this.files = new DataFiles(join(own, 'data'), durable);
    this.objects = new ObjectStore(join(own, 'objects'), this.files);
    const completed = new Set(this.objects.list().map(({ uploadId }) => uploadId));
    this.uploads = new UploadStore(join(own, 'uploads'), this.files, (uploadId) => completed.has(uploadId));
    this.files.sweep();
  }
}
