import { StreamLanguage, type StreamParser } from '@codemirror/language';

/** Functions of JSONata and our own, with what completion says about them. */
export const functions: readonly (readonly [name: string, signature: string, says: string])[] = [
  ['$string', '$string(value)', 'As text'],
  ['$number', '$number(text)', 'As a number'],
  ['$money', '$money(amount)', 'An amount with two places'],
  ['$moneySum', '$moneySum(amounts)', 'Exact sum of amounts'],
  ['$moneyMultiply', '$moneyMultiply(amount, factor)', 'Exact product, to cents'],
  ['$moneyCompare', '$moneyCompare(a, b)', '−1, 0 or 1, exact'],
  ['$substring', '$substring(text, start, length)', 'Part of a text'],
  ['$substringBefore', '$substringBefore(text, mark)', 'What stands before'],
  ['$substringAfter', '$substringAfter(text, mark)', 'What stands after'],
  ['$contains', '$contains(text, part)', 'Whether it is in there'],
  ['$replace', '$replace(text, old, new)', 'Replaced text'],
  ['$split', '$split(text, mark)', 'A list of parts'],
  ['$join', '$join(list, between)', 'A list as one text'],
  ['$trim', '$trim(text)', 'Without spaces around'],
  ['$uppercase', '$uppercase(text)', 'In capitals'],
  ['$lowercase', '$lowercase(text)', 'In small letters'],
  ['$length', '$length(text)', 'Number of characters'],
  ['$pad', '$pad(text, width, with)', 'Filled up to a width'],
  ['$count', '$count(list)', 'How many'],
  ['$sum', '$sum(numbers)', 'Sum of numbers'],
  ['$max', '$max(numbers)', 'The largest'],
  ['$min', '$min(numbers)', 'The smallest'],
  ['$average', '$average(numbers)', 'The mean'],
  ['$round', '$round(number, places)', 'Rounded'],
  ['$floor', '$floor(number)', 'Rounded down'],
  ['$ceil', '$ceil(number)', 'Rounded up'],
  ['$abs', '$abs(number)', 'Without sign'],
  ['$formatNumber', '$formatNumber(number, "#,##0.00")', 'A number as text'],
  ['$exists', '$exists(value)', 'Whether there is one'],
  ['$not', '$not(value)', 'The opposite'],
  ['$boolean', '$boolean(value)', 'As yes or no'],
  ['$now', '$now()', 'The moment at which the step began'],
  ['$toMillis', '$toMillis(moment)', 'A moment as milliseconds'],
  ['$fromMillis', '$fromMillis(ms, picture)', 'Milliseconds as a moment'],
  ['$map', '$map(list, function($v) { … })', 'Each item changed'],
  ['$filter', '$filter(list, function($v) { … })', 'The items that pass'],
  ['$reduce', '$reduce(list, function($a, $b) { … })', 'All items as one'],
  ['$sort', '$sort(list)', 'In order'],
  ['$distinct', '$distinct(list)', 'Without repeats'],
  ['$append', '$append(a, b)', 'Two lists as one'],
  ['$keys', '$keys(group)', 'Names of the fields'],
  ['$lookup', '$lookup(group, name)', 'A field by name'],
  ['$merge', '$merge(groups)', 'Groups as one'],
];

interface State {
  /** The quote we are inside of; strings may run over lines. */
  quote: string;
  comment: boolean;
}

const parser: StreamParser<State> = {
  name: 'jsonata',
  startState: () => ({ quote: '', comment: false }),
  token(stream, state) {
    if (state.comment) {
      state.comment = !stream.match(/^.*?\*\//);
      if (state.comment) stream.skipToEnd();
      return 'comment';
    }
    if (state.quote) {
      while (!stream.eol()) {
        const char = stream.next();
        if (char === '\\') stream.next();
        else if (char === state.quote) {
          state.quote = '';
          break;
        }
      }
      return 'string';
    }
    if (stream.eatSpace()) return null;
    if (stream.match('/*')) {
      state.comment = true;
      return 'comment';
    }
    const char = stream.peek() ?? '';
    if (char === '"' || char === "'") {
      state.quote = char;
      stream.next();
      return 'string';
    }
    if (stream.match(/^`[^`]*`?/)) return 'propertyName';
    if (stream.match(/^\d+(\.\d+)?([eE][+-]?\d+)?/)) return 'number';
    if (stream.match(/^\$[A-Za-z_]\w*(?=\s*\()/)) return 'variableName.function';
    if (stream.match(/^\$\$?[A-Za-z_]?\w*/)) return 'variableName';
    if (stream.match(/^(?:and|or|in|function|true|false|null)\b/)) return 'keyword';
    if (stream.match(/^[A-Za-z_]\w*/)) return 'propertyName';
    if (stream.match(/^(?::=|!=|<=|>=|~>|\?:|\?\?|\.\.|[-+*/%&=<>?:@#^|])/)) return 'operator';
    stream.next();
    return 'punctuation';
  },
  languageData: { closeBrackets: { brackets: ['(', '[', '{', '"', "'"] }, wordChars: '$' },
};

/** Colours for JSONata; the server's parser alone decides what is right. */
export const jsonataLanguage = StreamLanguage.define(parser);
