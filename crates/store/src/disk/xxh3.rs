//! XXH3 with 128 bits and without a seed, which redb puts over each page: of more than 8 bytes, because no page has fewer.
//!
//! <https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>, "XXH3 Algorithm Overview".

const STRIPE: usize = 64;
const LANES: usize = 8;
/// The secret moves on by so many bytes with each stripe.
const STEP: usize = 8;
/// Stripes between two scrambles.
const STRIPES: usize = (SECRET.len() - STRIPE) / STEP;

const PRIME32: [u64; 3] = [0x9e37_79b1, 0x85eb_ca77, 0xc2b2_ae3d];
const PRIME64: [u64; 5] = [
    0x9e37_79b1_85eb_ca87,
    0xc2b2_ae3d_27d4_eb4f,
    0x1656_67b1_9e37_79f9,
    0x85eb_ca77_c2b2_ae63,
    0x27d4_eb2f_1656_67c5,
];
const AVALANCHE: u64 = 0x1656_6791_9e37_79f9;

/// The default secret of the specification.
const SECRET: [u8; 192] = [
    0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c,
    0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f,
    0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
    0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c,
    0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3,
    0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8,
    0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d,
    0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64,
    0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb,
    0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e,
    0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce,
    0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e,
];

type Lanes = [u64; LANES];

/// The hash; `None` of at most 8 bytes.
pub(super) fn hash(data: &[u8]) -> Option<u128> {
    match data.len() {
        0..=8 => None,
        9..=16 => Some(tiny(data)),
        17..=240 => Some(short(data)),
        241.. => Some(long(data)),
    }
}

fn word(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

fn words(bytes: &[u8; STRIPE]) -> Lanes {
    let (words, _) = bytes.as_chunks::<8>();
    core::array::from_fn(|at| u64::from_le_bytes(words[at]))
}

/// Both halves of the product, one upon the other.
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    low(product) ^ low(product >> 64)
}

const fn low(number: u128) -> u64 {
    (number & u64::MAX as u128) as u64
}

const fn avalanche(mut number: u64) -> u64 {
    number ^= number >> 37;
    number = number.wrapping_mul(AVALANCHE);
    number ^ (number >> 32)
}

/// Mixes 16 bytes from each of two places.
fn mix(state: &mut [u64; 2], data: &[u8], first: usize, second: usize, secret: usize) {
    let mixed = |at: usize, secret: usize| {
        let left = word(data, at) ^ word(&SECRET, secret);
        fold(left, word(data, at + 8) ^ word(&SECRET, secret + 8))
    };
    let sum = |at: usize| word(data, at).wrapping_add(word(data, at + 8));
    state[0] = state[0].wrapping_add(mixed(first, secret)) ^ sum(second);
    state[1] = state[1].wrapping_add(mixed(second, secret + 16)) ^ sum(first);
}

/// Of 9 to 16 bytes.
fn tiny(data: &[u8]) -> u128 {
    let secret = |at: usize| word(&SECRET, at) ^ word(&SECRET, at + 8);
    let (first, last) = (word(data, 0), word(data, data.len() - 8));
    let keyed = last ^ secret(48);
    let product = u128::from(first ^ last ^ secret(32)) * u128::from(PRIME64[0]);
    let high = low(product >> 64)
        .wrapping_add(keyed)
        .wrapping_add((keyed & 0xffff_ffff).wrapping_mul(PRIME32[1] - 1));
    let less = low(product).wrapping_add((data.len() as u64 - 1) << 54) ^ high.swap_bytes();
    let product = u128::from(less) * u128::from(PRIME64[1]);
    let high = low(product >> 64).wrapping_add(high.wrapping_mul(PRIME64[1]));
    joined(avalanche(high), avalanche(low(product)))
}

/// Of 17 to 240 bytes.
fn short(data: &[u8]) -> u128 {
    let length = data.len();
    let mut state = [PRIME64[0].wrapping_mul(length as u64), 0];
    if length <= 128 {
        for pair in (0..length.div_ceil(32)).rev() {
            let (first, second) = (16 * pair, length - 16 * (pair + 1));
            mix(&mut state, data, first, second, 32 * pair);
        }
    } else {
        for pair in 0..4 {
            mix(&mut state, data, 32 * pair, 32 * pair + 16, 32 * pair);
        }
        state = state.map(avalanche);
        for pair in 4..length / 32 {
            let secret = 3 + 32 * (pair - 4);
            mix(&mut state, data, 32 * pair, 32 * pair + 16, secret);
        }
        mix(&mut state, data, length - 16, length - 32, 103);
    }
    let both = state[0].wrapping_add(state[1]);
    let high = state[0]
        .wrapping_mul(PRIME64[0])
        .wrapping_add(state[1].wrapping_mul(PRIME64[3]))
        .wrapping_add((length as u64).wrapping_mul(PRIME64[1]));
    joined(avalanche(high).wrapping_neg(), avalanche(both))
}

fn joined(high: u64, low: u64) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

fn accumulate(lanes: &mut Lanes, stripe: &[u8; STRIPE], secret: &Lanes) {
    let data = words(stripe);
    for at in 0..LANES {
        let keyed = data[at] ^ secret[at];
        lanes[at] = lanes[at]
            .wrapping_add(data[at ^ 1])
            .wrapping_add((keyed & 0xffff_ffff) * (keyed >> 32));
    }
}

/// Of more than 240 bytes.
fn long(data: &[u8]) -> u128 {
    let secrets: [Lanes; STRIPES] = core::array::from_fn(|at| secret_at(at * STEP));
    let scramble = secret_at(SECRET.len() - STRIPE);
    let mut lanes: Lanes = [
        PRIME32[2], PRIME64[0], PRIME64[1], PRIME64[2], PRIME64[3], PRIME32[1], PRIME64[4],
        PRIME32[0],
    ];
    // The last stripe counts by itself, and is the last 64 bytes.
    let (stripes, _) = data[..data.len() - 1].as_chunks::<STRIPE>();
    let whole = (data.len() - 1) / (STRIPE * STRIPES);
    for (number, block) in stripes.chunks(STRIPES).enumerate() {
        for (stripe, secret) in block.iter().zip(&secrets) {
            accumulate(&mut lanes, stripe, secret);
        }
        if number < whole {
            for (lane, secret) in lanes.iter_mut().zip(&scramble) {
                *lane = (*lane ^ (*lane >> 47) ^ secret).wrapping_mul(PRIME32[0]);
            }
        }
    }
    if let Some(last) = data.last_chunk() {
        accumulate(&mut lanes, last, &secret_at(SECRET.len() - STRIPE - 7));
    }
    let length = data.len() as u64;
    let low = merged(&lanes, 11, PRIME64[0].wrapping_mul(length));
    let high = merged(
        &lanes,
        SECRET.len() - STRIPE - 11,
        !PRIME64[1].wrapping_mul(length),
    );
    joined(high, low)
}

fn secret_at(at: usize) -> Lanes {
    core::array::from_fn(|lane| word(&SECRET, at + 8 * lane))
}

fn merged(lanes: &Lanes, secret: usize, start: u64) -> u64 {
    let secret = secret_at(secret);
    let mut sum = start;
    for at in (0..LANES).step_by(2) {
        sum = sum.wrapping_add(fold(lanes[at] ^ secret[at], lanes[at + 1] ^ secret[at + 1]));
    }
    avalanche(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths and what the reference implementation (xxHash 0.8, by way of Python's `xxhash`) says of so many bytes.
    const TOLD: [(usize, u128); 18] = [
        (9, 0x82dd_c95b_c760_0767_1c69_c3f0_4aae_d08c),
        (12, 0xe24b_58c4_5605_65d9_2791_4549_7900_c103),
        (16, 0xddf6_c125_4d70_f767_94ea_a17b_2075_6f46),
        (17, 0x263f_67af_6308_8041_735f_e434_ded9_0c3c),
        (32, 0xa86b_5146_58f9_76a5_4079_2004_5a9a_834c),
        (33, 0xa943_d80c_e26e_d292_8b59_b4df_ba3c_9de4),
        (65, 0xc12a_af5f_8a17_82a4_5c95_500a_9909_a96f),
        (112, 0xbd7c_13b5_0598_df6f_8308_4df0_8e25_18f5),
        (128, 0xdd9e_5aa9_bd51_cc9c_c6bd_21ec_c865_f29f),
        (129, 0x0043_3635_cf8d_872e_7f4a_ccb7_6587_485b),
        (160, 0x2282_2322_4234_6ee6_08d4_baac_ce68_f2d0),
        (240, 0x89e3_a0a2_ee35_5d25_d10b_eb4e_0599_e4b3),
        (241, 0x75f4_da43_f23c_ce5a_541b_1922_6f00_52e8),
        (1024, 0x03de_0c29_e9f0_bc7f_ba46_4919_c6bb_3ccd),
        (1025, 0x7584_e04f_e341_4e5a_2aa0_034e_7827_ee42),
        (1088, 0xefb5_c378_c8fe_e444_6120_d502_33c9_c660),
        (16383, 0xfadb_610f_65c1_d568_e40c_6882_c0b2_4b43),
        (65536, 0x27e2_8f0a_d0e1_0e53_0d88_4013_80df_353c),
    ];

    #[test]
    fn it_is_the_hash_of_the_specification() {
        let data: Vec<u8> = (0..65536u32)
            .map(|at| (at * 7 + at / 251).to_le_bytes()[0])
            .collect();
        for (length, told) in TOLD {
            assert_eq!(hash(&data[..length]), Some(told), "{length} bytes");
        }
        assert_eq!(hash(&data[..8]), None);
    }
}
