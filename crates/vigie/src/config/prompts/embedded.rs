//! The shipped prompts as bytes of the program, so that it speaks wherever it is installed.
//! A test holds this table against `seeds/prompts.toml`.

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        &[
            $(
                ($name, "fr", include_bytes!(concat!("../../../../../seeds/prompts/fr/", $name, ".wav"))),
                ($name, "en", include_bytes!(concat!("../../../../../seeds/prompts/en/", $name, ".wav"))),
            )*
            ("music", super::ANY_LANGUAGE, include_bytes!("../../../../../seeds/prompts/any/music.wav")),
        ]
    };
}

/// Name, language, WAV file.
pub(super) const SHIPPED: &[(&str, &str, &[u8])] = shipped![
    "greeting",
    "language-menu",
    "emergency",
    "please-wait",
    "comfort",
    "next-in-queue",
    "long-wait",
    "last-resort",
    "closed",
    "full",
    "hold",
    "listener-cut-off",
    "signed-in",
    "ready",
    "not-ready",
    "not-ready-break",
    "not-ready-meal",
    "not-ready-training",
    "not-ready-meeting",
    "not-ready-missed",
    "signed-out",
    "wrap-up-ended",
    "debrief",
    "wrong-code",
    "call-refused",
];
