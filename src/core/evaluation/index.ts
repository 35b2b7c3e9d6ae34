export { clopperPearson, type Interval } from './clopper-pearson.js';
