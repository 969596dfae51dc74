#include "core/base/sha256.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace hookswitch {
namespace {

std::string Hex(const Sha256Digest& digest) {
  std::string hex;
  for (const std::uint8_t byte : digest) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

// The examples of FIPS 180-4 and the digest of nothing.
constexpr std::string_view kOfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view kOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr std::string_view kOfAMillion = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256, OfOneTextHasNothingOfTheOneBefore) {
  EXPECT_EQ(Hex(Sha256Of("abc")), kOfAbc);
  EXPECT_EQ(Hex(Sha256Of("")), kOfNothing);
  EXPECT_EQ(Hex(Sha256Of(std::string(1'000'000, 'a'))), kOfAMillion);
  EXPECT_EQ(Hex(Sha256Of({})), kOfNothing);
  EXPECT_EQ(Hex(Sha256Of("abc")), kOfAbc);
}

TEST(Sha256, IsTheSameOnEveryThread) {
  std::thread([] { EXPECT_EQ(Hex(Sha256Of("abc")), kOfAbc); }).join();
}

}  // namespace
}  // namespace hookswitch
