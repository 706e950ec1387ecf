#pragma once

#include "base/error.hpp"

#include <boost/system/result.hpp>

namespace fp {

/// An outcome the caller branches on: a value, or an Error that says what happened and what to do.
template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace fp
