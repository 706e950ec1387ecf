#pragma once

#include "api/page.hpp"

namespace fp::app {

/// The web page that was in web/dist when this program was built (tools/pack_web.py); empty when none was.
api::PagePack web_pack();

}  // namespace fp::app
