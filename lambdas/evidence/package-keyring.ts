/** Name and namespace of the keyring under which packages are sealed; they stand in the message header. */
export const KEYRING = { keyNamespace: 'valiza', keyName: 'package' } as const;
