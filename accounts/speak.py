"""A program of its own that spells letters aloud: `python speak.py -t KWXTR -o FILE.wav` (`-o -` for stdout).

Speaks with the eSpeak NG library of the wheel `espeakng-loader`, else with a program of the system
(espeak-ng, espeak, flite). It imports nothing of the shop: that library has another licence (GPL), and its
state is not for threads to share.
"""

import argparse
import ctypes
import io
import shutil
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

ALPHABET = """
    Alpha Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliet Kilo Lima Mike November Oscar Papa
    Quebec Romeo Sierra Tango Uniform Victor Whiskey X-ray Yankee Zulu
"""
WORDS = {word[0]: word for word in ALPHABET.split()}
WORDS_PER_MINUTE = 120
SYNCHRONOUS, RATE, CHARS_UTF8, BY_CHARACTER = 2, 1, 1, 1
SystemSpeaker = tuple[str, ...]
SYSTEM_SPEAKERS: tuple[SystemSpeaker, ...] = (
    ("espeak-ng", "-s", str(WORDS_PER_MINUTE), "-w", "{file}", "{sentence}"),
    ("espeak", "-s", str(WORDS_PER_MINUTE), "-w", "{file}", "{sentence}"),
    ("flite", "-t", "{sentence}", "-o", "{file}"),
)


def spelled(text: str) -> str:
    """Return sentences that cannot be misheard: "B, as in Bravo." for each letter, digits as they are."""
    characters = [character for character in text.upper() if character.isalnum()]
    return "  ".join(f"{c}, as in {WORDS[c]}." if c in WORDS else f"{c}." for c in characters)


def with_the_wheel(sentence: str) -> bytes | None:
    """Return a WAV file spoken by the library of the wheel, None where there is none for this system."""
    try:
        # Optional: some systems have no wheel.
        import espeakng_loader  # type: ignore[import-untyped]  # noqa: PLC0415

        library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
    except (ImportError, OSError, RuntimeError):
        return None
    samples = bytearray()

    def keep(part: int | None, count: int, _events: int | None) -> int:
        if part:
            samples.extend(ctypes.string_at(part, count * 2))
        return 0

    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(keep)

    text = sentence.encode()
    hertz = library.espeak_Initialize(SYNCHRONOUS, 0, data, 0)
    library.espeak_SetSynthCallback(callback)
    library.espeak_SetVoiceByName(b"en")
    library.espeak_SetParameter(RATE, WORDS_PER_MINUTE, 0)
    failed = library.espeak_Synth(text, len(text) + 1, 0, BY_CHARACTER, 0, CHARS_UTF8, None, None)
    return None if failed or not samples else as_wav(bytes(samples), hertz=hertz)


def as_wav(samples: bytes, *, hertz: int) -> bytes:
    """Wrap 16-bit mono samples as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(hertz)
        sound.writeframes(samples)
    return file.getvalue()


def with_the_system(sentence: str) -> bytes | None:
    """Return a WAV file spoken by a program of the system, None where there is none."""
    for program, *arguments in SYSTEM_SPEAKERS:
        path = shutil.which(program)
        if path is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "spoken.wav"
            filled = [argument.format(file=file, sentence=sentence) for argument in arguments]
            done = subprocess.run([path, *filled], capture_output=True, check=False)
            if done.returncode == 0 and file.exists():
                return file.read_bytes()
    return None


def main() -> None:
    """Spell the text aloud; exits 1 with a sentence where nothing on this machine can speak."""
    parser = argparse.ArgumentParser(description="Spell letters aloud.")
    parser.add_argument("-t", dest="text", required=True, help="letters to spell")
    parser.add_argument("-o", dest="file", required=True, help="WAV file to write, - for standard output")
    options = parser.parse_args()
    sentence = spelled(options.text)
    sound = with_the_wheel(sentence) or with_the_system(sentence)
    if sound is None:
        sys.exit("Nothing here can speak: install the package espeakng-loader, or espeak-ng of the system.")
    if options.file == "-":
        sys.stdout.buffer.write(sound)
    else:
        Path(options.file).write_bytes(sound)


if __name__ == "__main__":
    main()
