#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/secret.h"

namespace hookswitch {

/// Shows that a request reached this process, for `hookswitch doctor`: whoever may read the admin API gets a nonce and
/// its proof, sends the nonce to where senders post to, and compares the answer.
///
/// Only nonces of this process have a proof, and only for a minute: nobody else learns anything from asking.
/// [thread: any]
class ReachProof {
 public:
  /// The query parameter of a GET that carries a nonce, and the header of its answer.
  static constexpr std::string_view kParameter = "hookswitch-nonce";
  static constexpr std::string_view kHeader = "Hookswitch-Proof";
  static constexpr std::chrono::seconds kLife{60};

  ReachProof();

  struct Challenge {
    std::string nonce, proof;
  };
  Challenge Make(MonoTime now) const;
  /// The proof of the nonce in `query`; "" if there is none that is valid.
  std::string ProofFor(std::string_view query, MonoTime now) const;

 private:
  std::string Sum(std::string_view text) const;

  Secret key_;
};

}  // namespace hookswitch
