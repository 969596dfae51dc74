#pragma once
#include <string>

namespace hookswitch {

/// Why `pem` has no usable certificates, as the end of a sentence ("holds no certificate"); "" if it has.
std::string FaultOfCertificates(const std::string& pem);

/// Why `pem` is not a private key, or not that of the first certificate in `certificates` (which must contain one); as
/// above. Keys with a password are rejected, because nobody can type it.
std::string FaultOfKey(const std::string& pem, const std::string& certificates);

}  // namespace hookswitch
