# What is said: the keywords, words that sound like them, other words, and how they are pronounced.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Words and pronunciations, in festival's American ("radio") phones."""

KEYWORDS = ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"]
LABELS = KEYWORDS + ["neither"]
NEITHER = len(KEYWORDS)
UNKNOWN = -100  # the label of frames without a right answer
PHONES = """aa ae ah ao aw ax ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z
    zh""".split()
CMUDICT = "/usr/share/festival/dicts/cmu/cmudict-0.4.out"

# People do not agree on these; the first is the commonest.
PRONUNCIATIONS = {
    "yes": ["y eh s", "y eh s", "y ae s", "y ih s"],
    "no": ["n ow", "n ow", "n ao"],
    "up": ["ah p"],
    "down": ["d aw n"],
    "left": ["l eh f t", "l eh f t", "l ae f t"],
    "right": ["r ay t"],
    "on": ["aa n", "ao n"],
    "off": ["ao f", "aa f"],
    "stop": ["s t aa p", "s t aa p", "s t ao p"],
    "go": ["g ow", "g ow", "g ao"],
}

# Said alone, these cannot be told from a keyword: never used as `neither`.
HOMOPHONES = set("""know knows noh noe wright rite write rights stopp goh gogh lefty ahn awn aun awf
    nau nao gau ghos goes nos yeses hup uhp dawn don dun von""".split())

# The nearest neighbours: one sound more, less or different.
SIMILAR = """yeah yep yell yet yesterday guess chess less mess dress guest best jazz yard yacht yellow
    nope note nose nor knee new now known none snow know-how nobody notice north low row toe show so
    though cup pup puppy uptown upper upset supper apple app bus but us ugh tub pub hub of opposite
    town gown brown noun drown dawned downtown found round doubt dow down-load sound mountain tower
    let lift loft leaf laugh lent lef led leg leftover leather theft deft gift swift lest life
    write-off light night might bite fight ride rice ripe rye bright fright riot rate root ring white sight
    own one on-line honor onto upon in an and gone john con want won ron aunt swan wand under
    offer often office cough dog of-the have half oft awful all off-set soft coffee loss
    stock stuff top shop step stamp strap star start story stub spot stomp stone pop drop chop stay
    goal goat ghost gold good grow got gone girl give get goose gum ago mango coal cold code golf
    though dough doe mow bow sew woe yo hello okay bingo radio photo auto echo video zero mosquito
    """.split()

# What else people say alone to a machine: the other words of Speech Commands, and their like.
COMMANDS = """zero one two three four five six seven eight nine ten bed bird cat dog happy house marvin sheila tree wow
    back backward front forward follow learn visual open close start play next pause light lights hello okay""".split()

COMMON = """eleven twelve twenty hundred
    the a to and is was it that for with he she they we you my his her this what when where who how why
    are be have had do did say said see look come came make made take took find think tell ask work seem
    feel try leave call time year people way day man thing woman life child world school state family
    student group country problem hand part place case week company system program question government
    number night point home water room mother area money month book eye job word business issue side kind
    head house service friend father power hour game line end member law car city community name president
    team minute idea kid body information back parent face others level office door health person art war
    history party result change morning reason research girl guy moment air teacher force education
    music please thanks sorry maybe never always again louder quiet lights kitchen weather tomorrow today
    computer volume channel television window table chair paper pencil orange banana lemon water bottle
    dinner breakfast lunch coffee sugar summer winter spring autumn red green blue yellow black white purple
    alexa google siri hey hi hello bye goodbye welcome sure fine great nice cool awesome terrible
    open close begin finish play pause next previous faster slower higher lower inside outside
    mister doctor uncle brother sister baby animal elephant tiger lion monkey rabbit fish flower garden
    mm hmm uh um ah oh ooh wow ha haha shh psst ouch oops""".split()

# The keywords, and some other words, as a reader of another language would have to see them written.
# A voice of that language then says them with its own sounds: an accent.
_LATIN_OTHERS = "uan tu tri for faif siks seven eit nain ten bed berd ket dog hepi haus marvin wau " \
    "lok sel dans mama tabel lampa mor fes lait bot sam kom buk men pat let nau ti pel rot gam gift nes"
RESPELLED = {
    "es it ca la eo": "ies nou ap daun left rait on of stop gou",
    "es-419 tr id sw ms": "yes nou ap daun left rait on of stop gou",
    "fi et nl af nb sv da is": "jes nou ap daun left rait on of stop gou",
    "cs sk hr sl bs lv lt sr": "jes nou ap daun left rajt on of stop gou",
    "hu": "jesz nou ap daun left rájt on of sztop gou",
    "pl": "jes noł ap dałn left rajt on of stop goł",
    "de": "jess nou app daun left rait onn off sstopp gou",
    "pt pt-br ro": "iés nôu ap daun left rait on of stop gôu",
    "fr": "yesse nô op daoune lefte raïte onne offe stoppe gô",
    "ru bg uk": "йес ноу ап даун лефт райт он оф стоп гоу",
    "hi mr ne": "येस नो अप डाउन लेफ्ट राइट ऑन ऑफ स्टॉप गो",
    "el": "γιες νόου απ ντάουν λεφτ ράιτ ον οφ στοπ γκόου",
}
RESPELLED_OTHERS = {
    "ru bg uk": "уан ту три фор файф сикс севен эйт найн тен бед кэт дог хэпи хаус лампа вода гора лес ночь "
                "мама стол рот газ нос апорт дом",
    "hi mr ne": "वन टू थ्री फोर फाइव सिक्स सेवन एट नाइन टेन बेड कैट डॉग हाउस पानी घर नमस्ते लाल रात गाना",
    "el": "ένα δύο τρία νερό σπίτι γάτα σκύλος μπλε πόλη γάλα νύχτα σάιμον τεν μπεντ",
}


# How often another word is a command, a near miss, a common word, any word of the dictionary.
OTHERS = [0.35, 0.25, 0.2, 0.2]


def respelled():
    """Yields (language, [keyword in its letters], [other words])."""
    for languages, words in RESPELLED.items():
        others = RESPELLED_OTHERS.get(languages, _LATIN_OTHERS).split()
        for language in languages.split():
            yield language, words.split(), others


def lexicon():
    """Every word of the CMU dictionary, as a list of phones."""
    words = {}
    with open(CMUDICT, encoding="latin-1") as lines:
        for line in lines:
            word, _, rest = line[2:].partition('"')
            syllables = rest[rest.find("(((") :].strip()
            phones = [p for p in syllables.replace("(", " ").replace(")", " ").split() if p.isalpha()]
            if word.isalpha() and phones:
                words.setdefault(word, phones)
    for word, spoken in PRONUNCIATIONS.items():
        words[word] = spoken[0].split()
    return words


class Speaker:
    """Decides at random what a voice says next. The lexicon is shared, the generator is the voice's own."""

    def __init__(self, rng, words):
        self.rng = rng
        self.words = words
        taken = set(KEYWORDS) | HOMOPHONES
        sounds = {tuple(p.split()) for w in PRONUNCIATIONS.values() for p in w}
        free = [w for w, p in words.items() if w not in taken and tuple(p) not in sounds]
        self.others = [[w for w in some if w not in taken] for some in (COMMANDS, SIMILAR, COMMON)]
        self.others.append([w for w in free if len(w) > 2])

    def other(self):
        return str(self.rng.choice(self.others[self.rng.choice(4, p=OTHERS)]))

    def phones(self, word):
        """Phones of a word; None when the dictionary lacks it."""
        if word in PRONUNCIATIONS:
            return str(self.rng.choice(PRONUNCIATIONS[word])).split()
        return self.words.get(word)

    def running(self):
        """Several words in a row without a keyword."""
        return [self.other() for _ in range(self.rng.integers(3, 8))]

    def phrase(self):
        """One to three keywords among other words."""
        said = [str(w) for w in self.rng.choice(KEYWORDS, self.rng.integers(1, 4))]
        for _ in range(self.rng.integers(1, 4)):
            said.insert(self.rng.integers(len(said) + 1), self.other())
        return said
