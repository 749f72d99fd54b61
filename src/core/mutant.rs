//! Wrong behaviour on demand, to prove that the tests would notice it. Only with the feature `mutants`, which no
//! build for use has.

pub fn is(name: &str) -> bool {
    cfg!(feature = "mutants") && std::env::var("ETCD3_MUTANT").is_ok_and(|mutant| mutant == name)
}
