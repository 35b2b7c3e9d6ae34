import { type Command, Option } from 'commander';
import { listOption, rangeOption, scaleOption, shapeOption } from './options.js';

/** The options that say what a model is tried on: see `DataOptions`. */
export function addDataOptions(command: Command): Command {
  return command
    .option('--data <file>', 'labelled samples: .csv, .jsonl, .parquet, .npz, or .npy with --labels')
    .option('--labels <file>', 'a .npy file of labels, for --data inputs.npy')
    .option(
      '--label <column>',
      'column, or array of a .npz file, that holds the label; default: label, class, target or y',
    )
    .option('--id <column>', 'column that names a sample; default: id, or the number of the row')
    .option(
      '--columns <names>',
      'columns that the model sees, in its order; default: all that hold numbers',
      listOption,
    )
    .option(
      '--classes <names>',
      "labels in the order of the model's outputs; default: 0, 1, 2, …",
      listOption,
    )
    .option('--shape <lengths>', "shape of one sample, such as 1,8,8; default: the model's", shapeOption)
    .option(
      '--range <low,high>',
      'valid range of every value in the data; default: taken from the data',
      rangeOption,
    )
    .option(
      '--scale <how>',
      'none, or unit: the model sees the range as 0 to 1; MIN,MAX says the range, too',
      scaleOption,
    )
    .option('--lifecycle <file>', 'take data, columns, range, scale, shape and classes from its data block')
    .addOption(
      new Option('--split <name>', 'rows of the lifecycle that are used; default: test').choices([
        'train',
        'validation',
        'test',
        'all',
      ]),
    );
}
