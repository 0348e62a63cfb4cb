/** JSON as a protocol carries it. A test reads it member by member, and a member that is missing fails the test. */
// oxlint-disable-next-line typescript/no-explicit-any -- a type for each answer would test the types, not the answers
export type WireJson = any;
