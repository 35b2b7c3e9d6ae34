export { hashedNgrams } from './hashed-ngrams.js';
export { wordsOf } from './words.js';
