/** A new catalog from a few answers: what was asked for, the files that come of it, and what they meet where they are to lie. */
export { type Answers, type Given, howToAsk, nothingGiven, readAnswers, readRepository } from './init/answers.ts'
export { answersIn } from './init/there.ts'
export { catalogOf, differences, type NewService, serviceFile } from './init/files.ts'
