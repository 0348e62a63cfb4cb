/** Exit codes, after sysexits.h where it has one: scripts can tell what happened without reading the text. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  denied: 3,
  pending: 4,
  damaged: 65,
  unavailable: 69,
  tryAgain: 75,
  notPermitted: 77,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each exit code means, as the help and the reference say it. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'done',
  failed: 'failed',
  usage: 'what was given cannot be used: arguments, configuration, or a body that the exchange refused (400, 422, 428)',
  denied: 'denied by policy (403)',
  pending: 'still pending: the wait timed out',
  damaged: 'damaged, not what was decided on, or the wrong key',
  unavailable: 'the exchange cannot be reached or is unavailable (502, 503, 504)',
  tryAgain: 'try again: the case has moved, or too many calls (409, 412, 429)',
  notPermitted: 'no valid credential (401)',
  interrupted: 'interrupted',
};

/** The exit code for an answer of the API. */
export function exitForStatus(status: number): ExitCode {
  switch (status) {
    case 400:
    case 413:
    case 415:
    case 422:
    case 428:
      return EXIT.usage;
    case 401:
      return EXIT.notPermitted;
    case 403:
      return EXIT.denied;
    case 409:
    case 412:
    case 429:
      return EXIT.tryAgain;
    case 502:
    case 503:
    case 504:
      return EXIT.unavailable;
    default:
      return EXIT.failed;
  }
}
