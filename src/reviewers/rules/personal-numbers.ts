/** From and before which character. */
export type Range = readonly [start: number, end: number];

/** Digits with at most three spaces, points, dashes or underscores between two of them. */
const digitRuns = /\d(?:[\s.\-_]{0,3}\d){13,}/g;
const ibanStarts = /(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}/g;

/**
 * First digits and lengths of the card schemes (ISO/IEC 7812 ranges as the schemes publish them): American Express,
 * Diners, Visa, Mastercard, Discover, JCB, UnionPay, Maestro, Mir. Lengths of 12 and 13 are left out: few cards have
 * them, and every tenth phone number in international form would be taken for one.
 */
const cards = [
  { lengths: [15], start: /^3[47]/ },
  { lengths: [14], start: /^3(?:0[0-59]|[689])/ },
  { lengths: [16, 19], start: /^4/ },
  { lengths: [16], start: /^5[0-8]|^2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)|^220[0-4]|^35(?:2[89]|[3-8])/ },
  { lengths: [16, 17, 18, 19], start: /^6/ },
];

/** Lengths of the IBAN by country, from the registry of ISO 13616. */
const ibanLengths = new Map(
  (
    "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27" +
    "GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22" +
    "MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28" +
    "TL23TN24TR26UA29VA22VG24XK20YE30"
  )
    .match(/[A-Z]{2}\d{2}/g)
    ?.map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** Payment card numbers: a known beginning, a right length, a right check digit. */
export function findCards(text: string): Range[] {
  const found: Range[] = [];
  for (const run of text.matchAll(digitRuns)) {
    // A plus sign makes it a phone number.
    if (text[run.index - 1] !== "+") found.push(...cardsInRun(text, run.index, run.index + run[0].length));
  }
  return found;
}

/** Bank account numbers: a country's length and right check digits, with or without spaces and dashes. */
export function findIbans(text: string): Range[] {
  const found: Range[] = [];
  for (const { index } of text.matchAll(ibanStarts)) {
    const length = ibanLengths.get(text.slice(index, index + 2).toUpperCase());
    if (length === undefined) continue;
    const [written, letters] = take(text, index, length);
    if (letters.length === length && hasIbanCheck(letters.toUpperCase())) found.push([index, index + written]);
  }
  return found;
}

/** Up to `length` letters and digits from `start` on, and how long they are as written, at most three signs between two. */
function take(text: string, start: number, length: number): readonly [written: number, letters: string] {
  const piece = text.slice(start, start + length * 4);
  let letters = "";
  let written = 0;
  for (const match of piece.matchAll(/[\s.-]{0,3}([A-Za-z0-9])/gy)) {
    if (letters.length === length) break;
    letters += match[1];
    written = match.index + match[0].length;
  }
  return [written, letters];
}

/** Cards that begin and end where a group of digits does, so that a number beside one does not hide it. */
function cardsInRun(text: string, start: number, end: number): Range[] {
  const found: Range[] = [];
  const groups = [...text.slice(start, end).matchAll(/\d+/g)];
  for (let first = 0; first < groups.length; first += 1) {
    let digits = "";
    for (let last = first; last < groups.length && digits.length <= 19; last += 1) {
      const group = groups[last];
      digits += group?.[0] ?? "";
      if (group === undefined || !isCard(digits)) continue;
      found.push([start + (groups[first]?.index ?? 0), start + group.index + group[0].length]);
      first = last;
      break;
    }
  }
  return found;
}

function isCard(digits: string): boolean {
  const isKnown = cards.some(({ lengths, start }) => lengths.includes(digits.length) && start.test(digits));
  return isKnown && hasLuhnCheck(digits);
}

function hasLuhnCheck(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits[digits.length - 1 - index]);
    const weighted = index % 2 === 0 ? digit : digit * 2;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return sum % 10 === 0;
}

function hasIbanCheck(iban: string): boolean {
  let rest = 0;
  for (const letter of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(letter, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}
