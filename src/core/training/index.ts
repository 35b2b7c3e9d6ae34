export { type RunTrainerOptions, runTrainer } from './run-trainer.js';
export { type TrainerEvent, trainerEventSchema, trainerExit } from './trainer.js';
