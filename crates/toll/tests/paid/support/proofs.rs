//! Well-formed proofs. The test's chain decides what they show.

use tpat::Txid;

pub(crate) const PROOFS: [&str; 2] = [
    "OutProofV2Jq9WRKEUPwuaWdzVC3C9e5BkGHUTdJ5y4NdUhP8Lda5RX1wVeLxvsBeRhLKZaHN62KjXMaUAJgihdXJUbpsWzJujKXi4YEMyvEq3fpwCceJm2mfj4DmxXzKCdGP6LsQvXMkW",
    "OutProofV2CRcCM65rV3fJxyAs6of812bJDozr2qwFsRJvB6No1EzEfLy1W7xhWxmBMBhNZ8pdYTMTm5JN56bZ61RYqU9xDbFCBfiVDrMcRyaFJwcoUSB3DTXwAbrr45nnMfxA9oMkwRVn",
];

pub(crate) fn txid(name: u8) -> Txid {
    Txid([name; 32])
}
