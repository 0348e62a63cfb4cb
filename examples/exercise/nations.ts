/** The two parties of the exercise (ISO 3166-1 alpha-3). */
export const NATIONS_OF_EXERCISE = ['CAN', 'UKR'] as const;
export type ExerciseNation = (typeof NATIONS_OF_EXERCISE)[number];

/** Who signs the credentials of a nation's people in the exercise. The name resolves to nothing: nobody is asked over a network. */
export const issuerOf = (nation: ExerciseNation): string => `https://exercise.valiza.example/${nation.toLowerCase()}`;

/** The nation of a person of the exercise, which their id begins with; undefined for anyone else. */
export const nationOf = (personId: string): ExerciseNation | undefined =>
  NATIONS_OF_EXERCISE.find((nation) => personId.startsWith(`${nation.toLowerCase()}-`));
