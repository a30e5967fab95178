//! Hashes that other programs made with a function that derives a key: their texts, taken apart.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::work::Work;

/// Bytes of a salt.
const SALT_BYTES: Bytes = 8..=64;
/// Bytes of an output where the text says how many there are, or where they depend on it. A shorter
/// one proves too little.
const KEY_BYTES: Bytes = 16..=64;
/// Elsewhere the beginning of an output would pass for one, so it must have the length that the
/// programs give it.
const SHORT_KEY_BYTES: Bytes = 32..=32;
const LONG_KEY_BYTES: Bytes = 64..=64;

type Bytes = std::ops::RangeInclusive<usize>;

/// A hash of another program, taken apart; its work is within its bounds.
#[derive(Debug)]
pub struct Foreign {
    function: Work,
    salt: Vec<u8>,
    key: Vec<u8>,
}

impl Foreign {
    /// Takes a text apart, or tells why it is none of the forms or out of bounds. The first is
    /// what PHC's strings and passlib have, the second Django's, which hashes its salts as text.
    pub fn read(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split('$').collect();
        match fields[..] {
            ["" | "argon2", "argon2id", version, parameters, salt, key] => {
                Self::new(argon2id(version, parameters)?, plain(salt)?, plain(key)?, KEY_BYTES)
            }
            ["" | "argon2", name @ ("argon2i" | "argon2d"), ..] => {
                Err(format!("is of {name}; of its kind only argon2id is taken"))
            }
            ["", "scrypt", parameters, salt, key] => {
                let [log_n, r, p] = parameters_of(parameters, ["ln", "r", "p"])?;
                Self::new(scrypt(log_n, r, p)?, plain(salt)?, plain(key)?, SHORT_KEY_BYTES)
            }
            ["scrypt", n, salt, r, p, key] => {
                let n = number(n)?;
                let log_n = n.checked_ilog2().filter(|_| n.is_power_of_two());
                let log_n = log_n.ok_or("has an N of scrypt that is no power of two")?;
                let function = scrypt(log_n, number(r)?, number(p)?)?;
                Self::new(function, salt.into(), padded(key)?, LONG_KEY_BYTES)
            }
            ["", "pbkdf2-sha256", rounds, salt, key] if !rounds.contains('=') => {
                let function = Work::Pbkdf2(number(rounds)?);
                Self::new(function, adapted(salt)?, adapted(key)?, SHORT_KEY_BYTES)
            }
            ["", "pbkdf2-sha256", parameters, salt, key] => Self::pbkdf2_phc(parameters, salt, key),
            ["pbkdf2_sha256", rounds, salt, key] => {
                let function = Work::Pbkdf2(number(rounds)?);
                Self::new(function, salt.into(), padded(key)?, SHORT_KEY_BYTES)
            }
            _ => Err("is of no form that is known: bcrypt, argon2id, scrypt, PBKDF2 with SHA-256 \
                      (as PHC strings, passlib's or Django's), or SHA-256 in hex"
                .into()),
        }
    }

    fn pbkdf2_phc(parameters: &str, salt: &str, key: &str) -> Result<Self, String> {
        let (salt, key) = (plain(salt)?, plain(key)?);
        if let Ok([rounds]) = parameters_of(parameters, ["i"]) {
            return Self::new(Work::Pbkdf2(rounds), salt, key, SHORT_KEY_BYTES);
        }
        let [rounds, length] = parameters_of(parameters, ["i", "l"])?;
        if usize::try_from(length) != Ok(key.len()) {
            return Err("has an output of another length than it says".into());
        }
        Self::new(Work::Pbkdf2(rounds), salt, key, KEY_BYTES)
    }

    fn new(function: Work, salt: Vec<u8>, key: Vec<u8>, lengths: Bytes) -> Result<Self, String> {
        if !SALT_BYTES.contains(&salt.len()) {
            return Err("must have a salt of 8 to 64 bytes".into());
        }
        if !lengths.contains(&key.len()) {
            let (least, most) = lengths.into_inner();
            let most = if least == most { String::new() } else { format!(" to {most}") };
            return Err(format!("must have an output of {least}{most} bytes"));
        }
        let read = Self { function, salt, key };
        read.work().check()?;
        Ok(read)
    }

    /// What it takes to verify a password against it.
    pub fn work(&self) -> Work {
        match self.function {
            // PBKDF2 begins anew for each 32 bytes.
            Work::Pbkdf2(rounds) => {
                let blocks = u32::try_from(self.key.len().div_ceil(32)).unwrap_or(u32::MAX);
                Work::Pbkdf2(rounds.saturating_mul(blocks))
            }
            function => function,
        }
    }

    /// Whether it is the hash of this password.
    pub fn matches(&self, password: &[u8]) -> bool {
        let mut key = Zeroizing::new(vec![0; self.key.len()]);
        self.function.derive(password, &self.salt, &mut key);
        key.ct_eq(&self.key).into()
    }
}

fn argon2id(version: &str, parameters: &str) -> Result<Work, String> {
    if version != "v=19" {
        return Err("is of another version of argon2id than 19".into());
    }
    let [memory, passes, lanes] = parameters_of(parameters, ["m", "t", "p"])?;
    Ok(Work::Argon2id { memory, passes, lanes })
}

fn scrypt(log_n: u32, block_size: u32, parallelism: u32) -> Result<Work, String> {
    // What is no u8 is far out of bounds, and is told as that.
    let log_n = u8::try_from(log_n).unwrap_or(u8::MAX);
    let work = Work::Scrypt { log_n, block_size, parallelism };
    work.check().map(|()| work)
}

/// The numbers in `a=1,b=2`: exactly these names in this order.
fn parameters_of<const N: usize>(text: &str, names: [&str; N]) -> Result<[u32; N], String> {
    let wrong = || format!("must have the parameters {}, in this order", names.join(", "));
    let mut numbers = [0; N];
    let mut fields = text.split(',');
    for (place, name) in numbers.iter_mut().zip(names) {
        let value = fields.next().and_then(|field| field.strip_prefix(name)?.strip_prefix('='));
        *place = number(value.ok_or_else(wrong)?)?;
    }
    if fields.next().is_some() { Err(wrong()) } else { Ok(numbers) }
}

/// A number in its one spelling.
fn number(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number: &u32| number.to_string() == text);
    number.ok_or_else(|| "has a parameter that is no number, or too large".into())
}

fn plain(text: &str) -> Result<Vec<u8>, String> {
    STANDARD_NO_PAD.decode(text).map_err(no_base64)
}

fn padded(text: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(text).map_err(no_base64)
}

/// passlib's base64, which has a dot for the plus.
fn adapted(text: &str) -> Result<Vec<u8>, String> {
    if text.contains('+') {
        return Err(no_base64("a plus"));
    }
    plain(&text.replace('.', "+"))
}

/// What is in it may be close to the right text, and is not told.
fn no_base64<T>(_: T) -> String {
    "has a salt or an output that is no base64 of its form".into()
}

#[cfg(test)]
mod tests {
    use crate::models::{Password, PasswordHash, Work};

    fn sent(password: &str) -> Password {
        Password::sent(password.to_owned())
    }

    /// Made by passlib 1.7.4, Django 5.2 and argon2-cffi 25.1 of "correct horse"; the forms with
    /// `i=` by Python's hashlib.
    const MADE_ELSEWHERE: [&str; 13] = [
        "$2a$04$We5M/Zl/pOd8Zb0D.6HjNO93PX34llIoHOc2VgYgaaFPF0cYosGzG",
        "$2y$04$x/06zgAD4qKSMZzYJge4KO9Lcv6bU0.Ase/42/kkrQCLWFbDXtSBG",
        "bcrypt$$2b$04$4OMIm.kfAfPD2gxMIJweruga8n1rIqEPn4zeS/f0lCXSe5nJE/gs.",
        "bcrypt_sha256$$2b$04$LAOMgXIgXcQpP.Mw.KIgk.SPFfE4nutOd729mxMeamQiAFz9ueHA2",
        "$argon2id$v=19$m=64,t=2,p=2$qLNTo43m27os3BuDF31cmA$AneQMk3Ev7iRICJST+7omthHLOesyIYjc/ra932D6Qk",
        "argon2$argon2id$v=19$m=64,t=2,p=2$WjJtSld3SnBkd2JlckdSd3FUS0N2cQ$0uHmbKqzkC++QK/xu303ql4IFahDYZZmcbmMgvvuhXw",
        "$scrypt$ln=4,r=8,p=2$AACA8L4XYkzJGWOslfJe6w$jRKCGNLLXiyY0yM1rWIf5Wb5wjUMo6mrOlwB9ziQ1m4",
        "scrypt$16$RxDU1YekKas6KycLNzPKO6$8$5$2MTKzuTuCUnsA/HJM4Vk5/1uKn7eP/aTqAXwtxSEJIl91Ru9xLHK04HVM94o5QgNejtrQPNkh0B3rXOaH7bMJw==",
        "$pbkdf2-sha256$1000$YSzl/D/HuLdWinFuLYUwpg$JeopsVYzh.4YpXxPBG/ebPwPa8MKuKY/jK5tSE4pxGo",
        "$pbkdf2-sha256$1000$....................$qLAeNTyhoMhqvUZ0GDEAQBHdEnIWhYqDY6f76F64X30",
        "pbkdf2_sha256$1000$12mcdU0X34VmwYXsTbqlxL$xhPg3cWTOvNj0PXMXRauf548CoafCUiBWS5UdRGu8pY=",
        "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHRzYWx0c2FsdA$BBs+1+PaslLtBPULUr8/lQicvVuHiEPMz0i8MjLCbzM",
        "$pbkdf2-sha256$i=1000,l=64$c2FsdHNhbHRzYWx0c2FsdA$BBs+1+PaslLtBPULUr8/lQicvVuHiEPMz0i8MjLCbzMlDQ3Yb2wCsKdu0jOOQpv3YwCPvTBpfPZXomHUAcFnjQ",
    ];
    const PASSWORD: &str = "correct horse";

    #[test]
    fn the_hashes_of_other_programs_are_verified_and_outdated() {
        for text in MADE_ELSEWHERE {
            let hash = PasswordHash::read(text).unwrap();
            assert!(hash.verify(&sent(PASSWORD)), "{text}");
            for wrong in ["", "correct hors", "correct horse ", "Correct horse", text] {
                assert!(!hash.verify(&sent(wrong)), "{text} {wrong:?}");
            }
            assert!(hash.is_outdated(4), "{text}");
        }
        // Without its length, as some write it.
        let text = MADE_ELSEWHERE[11].replace(",l=32", "");
        assert!(PasswordHash::read(&text).unwrap().verify(&sent(PASSWORD)));
    }

    #[test]
    fn bcrypt_of_another_program_may_have_cut_its_password() {
        let long = format!("{}yz tail", "x".repeat(71));
        for text in [
            "$2y$04$BWX68el5AkCnyFUO8Xag9.TsB6M4i2gpPwAdlOLch.2WtnJW9WJF.",
            "$2b$04$S19dRVb28fcO27li7c0V2.kVQd.5EwMXXzYH5C.Gv047.meDRy6LK",
        ] {
            let hash = PasswordHash::read(text).unwrap();
            assert!(hash.verify(&sent(&long)) && hash.cuts(&sent(&long)), "{text}");
            assert!(!hash.verify(&sent(&long[..71])) && !hash.cuts(&sent(&long[..71])), "{text}");
            assert!(!hash.verify(&sent(&long.replace('y', "z"))), "{text}");
            assert!(!hash.verify(&sent(&long.replace("tail", "\0"))), "{text}");
        }
    }

    #[test]
    fn nothing_but_the_very_text_is_verified() {
        // What is put in the place of a character: what is close to it, and what is odd.
        let near = |c: char| {
            let neighbours = (c as u8).checked_add(1).zip((c as u8).checked_sub(1));
            let neighbours = neighbours.into_iter().flat_map(|(a, b)| [a as char, b as char]);
            let odd = "$=.\0\u{e4}".chars();
            neighbours.chain(odd).filter(move |other| *other != c).collect::<Vec<_>>()
        };
        for text in MADE_ELSEWHERE {
            let cuts = (0..text.len()).map(|end| text[..end].to_owned());
            let longer = ["$", "=", "A", "\n"].map(|end| format!("{text}{end}"));
            let changed = text.char_indices().flat_map(|(at, c)| {
                let put = move |other| format!("{}{other}{}", &text[..at], &text[at + 1..]);
                near(c).into_iter().map(put).collect::<Vec<_>>()
            });
            for damaged in cuts.chain(longer).chain(changed) {
                // $2a$, $2b$ and $2y$ are names of one thing.
                let is_name = damaged.replace("$2b$", "$2a$") == text.replace("$2b$", "$2a$");
                let hash: PasswordHash = serde_json::from_value(damaged.as_str().into()).unwrap();
                // What is far more work than the text itself is known to be another one.
                let is_cheap = match hash.work() {
                    None | Some(Work::Bcrypt(..5) | Work::Pbkdf2(..2_000)) => true,
                    Some(Work::Argon2id { memory, passes, .. }) => memory * passes < 2000,
                    Some(Work::Scrypt { log_n, .. }) => log_n < 10,
                    Some(_) => false,
                };
                let right = is_cheap && hash.verify(&sent(PASSWORD));
                assert!(!right || is_name, "{damaged:?} passes for {text:?}");
            }
        }
    }

    #[track_caller]
    fn refusal(text: &str) -> String {
        let why = PasswordHash::read(text).unwrap_err();
        let hash: PasswordHash = serde_json::from_value(text.into()).unwrap();
        assert!(hash.work().is_none() && !hash.verify(&sent(PASSWORD)), "{text}");
        why
    }

    #[test]
    fn costs_have_bounds_which_the_refusal_names() {
        let argon2id = |parameters: &str| MADE_ELSEWHERE[4].replace("m=64,t=2,p=2", parameters);
        let scrypt = |parameters: &str| MADE_ELSEWHERE[6].replace("ln=4,r=8,p=2", parameters);
        let pbkdf2 = |form: usize, rounds: &str| MADE_ELSEWHERE[form].replace("1000", rounds);
        for (good, bad, says) in [
            (
                vec![
                    argon2id("m=262144,t=4,p=1"),
                    argon2id("m=8,t=1,p=1"),
                    argon2id("m=128,t=1,p=16"),
                ],
                [
                    "m=262145,t=1,p=1",
                    "m=262144,t=5,p=1",
                    "m=7,t=1,p=1",
                    "m=64,t=0,p=1",
                    "m=64,t=1,p=0",
                    "m=4096,t=1,p=17",
                    "m=0,t=1,p=0",
                    "m=4294967295,t=4294967295,p=4294967295",
                    "m=8,t=131073,p=1",
                ]
                .map(argon2id)
                .to_vec(),
                "argon2id must have p of 1 to 16",
            ),
            (
                vec![scrypt("ln=17,r=8,p=1"), scrypt("ln=17,r=8,p=4"), scrypt("ln=14,r=8,p=5")],
                [
                    "ln=18,r=8,p=1",
                    "ln=17,r=9,p=1",
                    "ln=17,r=8,p=5",
                    "ln=0,r=8,p=1",
                    "ln=62,r=8,p=1",
                    "ln=64,r=8,p=1",
                    "ln=300,r=8,p=1",
                    "ln=4,r=0,p=1",
                    "ln=4,r=8,p=0",
                    "ln=1,r=4294967295,p=4294967295",
                ]
                .map(scrypt)
                .to_vec(),
                "scrypt must have N of 2 or more",
            ),
            (
                vec![
                    pbkdf2(8, "4000000"),
                    pbkdf2(10, "1"),
                    pbkdf2(11, "4000000"),
                    pbkdf2(12, "2000000"),
                ],
                vec![
                    pbkdf2(8, "4000001"),
                    pbkdf2(10, "0"),
                    pbkdf2(10, "4294967295"),
                    pbkdf2(12, "2000001"),
                    pbkdf2(12, "4294967295"),
                ],
                "PBKDF2 must have 1 to 4000000 rounds",
            ),
            (
                vec![MADE_ELSEWHERE[0].replace("$04$", "$15$")],
                ["$16$", "$31$", "$03$", "$00$", "$99$"]
                    .map(|cost| MADE_ELSEWHERE[0].replace("$04$", cost))
                    .to_vec(),
                "bcrypt must have a cost of 4 to 15",
            ),
        ] {
            for text in good {
                assert!(PasswordHash::read(&text).is_ok(), "{text}");
            }
            for text in bad {
                assert!(refusal(&text).contains(says), "{text}: {}", refusal(&text));
            }
        }
    }

    #[test]
    fn what_proves_nothing_or_is_of_another_kind_is_refused_by_name() {
        for (text, says) in [
            (MADE_ELSEWHERE[4].replace("argon2id", "argon2i"), "is of argon2i;"),
            (MADE_ELSEWHERE[5].replace("argon2id", "argon2d"), "is of argon2d;"),
            (MADE_ELSEWHERE[4].replace("v=19", "v=16"), "another version"),
            (MADE_ELSEWHERE[4].replace("$v=19", ""), "no form that is known"),
            (MADE_ELSEWHERE[4].replace("m=64,t=2", "t=2,m=64"), "parameters m, t, p"),
            (MADE_ELSEWHERE[4].replace("p=2", "p=2,data=YQ"), "parameters m, t, p"),
            (MADE_ELSEWHERE[4].replace("m=64", "m=064"), "no number"),
            (MADE_ELSEWHERE[4].replace("m=64", "m=+64"), "no number"),
            (
                "$argon2id$v=19$m=64,t=2,p=2$qLNTo43m27os3BuDF31cmA$AneQMk3Ev7iR".into(),
                "output of 16",
            ),
            (
                "$argon2id$v=19$m=64,t=2,p=2$qLNT$AneQMk3Ev7iRICJST+7omthHLOesyIYjc/ra932D6Qk"
                    .into(),
                "salt of 8",
            ),
            (
                "pbkdf2_sha256$1000$salt$xhPg3cWTOvNj0PXMXRauf548CoafCUiBWS5UdRGu8pY=".into(),
                "salt of 8",
            ),
            ("pbkdf2_sha256$1000$12mcdU0X34VmwYXsTbqlxL$".into(), "output of 32"),
            (MADE_ELSEWHERE[7].replace("$16$", "$15$"), "power of two"),
            (MADE_ELSEWHERE[7].replace("$16$", "$0$"), "power of two"),
            (MADE_ELSEWHERE[12].replace("l=64", "l=63"), "another length"),
            (MADE_ELSEWHERE[0].replace("$2a$", "$2x$"), "no form that is known"),
            (MADE_ELSEWHERE[0].replace("$04$", "$4$"), "no number"),
            (MADE_ELSEWHERE[0].replace("$04$", "$+4$"), "no number"),
            (
                "pbkdf2_sha1$1000$12mcdU0X34Vm$xhPg3cWTOvNj0PXMXRauf548Coa=".into(),
                "no form that is known",
            ),
            ("$1$salt$qJH7.N4xYta3aEG/dfqo/0".into(), "no form that is known"),
            (String::new(), "no form that is known"),
            ("!".into(), "no form that is known"),
        ] {
            assert!(refusal(&text).contains(says), "{text}: {}", refusal(&text));
        }
    }
}
