#pragma once
#include <string>

namespace hookswitch {

/// Why `pem` holds no certificates that can be used ("holds no certificate"), as the end of a sentence; "": it does.
std::string FaultOfCertificates(const std::string& pem);

/// Why `pem` is no private key, or not that of the first certificate in `certificates`, which holds one; as above. A
/// key that asks for a password is none: nobody is there to type it.
std::string FaultOfKey(const std::string& pem, const std::string& certificates);

}  // namespace hookswitch
