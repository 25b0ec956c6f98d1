"""Time zones of the states, provinces and territories of US, CA, AU, BR and MX, which have several.

Source: IANA time zone database (zone.tab and the comments in the files northamerica, southamerica and australasia).
A state with several zones lists all of them; contact is allowed only at a suitable time in each.
"""

import unicodedata

_E, _C, _M, _P = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"

_US = {
    "AL Alabama": [_C],
    "AK Alaska": ["America/Anchorage", "America/Adak"],
    "AZ Arizona": ["America/Phoenix", _M],
    "AR Arkansas": [_C],
    "CA California": [_P],
    "CO Colorado": [_M],
    "CT Connecticut": [_E],
    "DE Delaware": [_E],
    "DC District of Columbia": [_E],
    "FL Florida": [_E, _C],
    "GA Georgia": [_E],
    "HI Hawaii": ["Pacific/Honolulu"],
    "ID Idaho": ["America/Boise", _P],
    "IL Illinois": [_C],
    "IN Indiana": ["America/Indiana/Indianapolis", _C],
    "IA Iowa": [_C],
    "KS Kansas": [_C, _M],
    "KY Kentucky": [_E, _C],
    "LA Louisiana": [_C],
    "ME Maine": [_E],
    "MD Maryland": [_E],
    "MA Massachusetts": [_E],
    "MI Michigan": ["America/Detroit", "America/Menominee"],
    "MN Minnesota": [_C],
    "MS Mississippi": [_C],
    "MO Missouri": [_C],
    "MT Montana": [_M],
    "NE Nebraska": [_C, _M],
    "NV Nevada": [_P, _M],
    "NH New Hampshire": [_E],
    "NJ New Jersey": [_E],
    "NM New Mexico": [_M],
    "NY New York": [_E],
    "NC North Carolina": [_E],
    "ND North Dakota": [_C, _M],
    "OH Ohio": [_E],
    "OK Oklahoma": [_C],
    "OR Oregon": [_P, "America/Boise"],
    "PA Pennsylvania": [_E],
    "RI Rhode Island": [_E],
    "SC South Carolina": [_E],
    "SD South Dakota": [_C, _M],
    "TN Tennessee": [_C, _E],
    "TX Texas": [_C, _M],
    "UT Utah": [_M],
    "VT Vermont": [_E],
    "VA Virginia": [_E],
    "WA Washington": [_P],
    "WV West Virginia": [_E],
    "WI Wisconsin": [_C],
    "WY Wyoming": [_M],
    # The territories have country codes of their own, but the post treats them as states.
    "AS American Samoa": ["Pacific/Pago_Pago"],
    "GU Guam": ["Pacific/Guam"],
    "MP Northern Mariana Islands": ["Pacific/Saipan"],
    "PR Puerto Rico": ["America/Puerto_Rico"],
    "VI US Virgin Islands": ["America/St_Thomas"],
}
_CA = {
    "AB Alberta": ["America/Edmonton"],
    "BC British Columbia": ["America/Vancouver", "America/Edmonton", "America/Dawson_Creek"],
    "MB Manitoba": ["America/Winnipeg"],
    "NB New Brunswick": ["America/Moncton"],
    "NL Newfoundland and Labrador": ["America/St_Johns", "America/Goose_Bay"],
    "NS Nova Scotia": ["America/Halifax"],
    "NT Northwest Territories": ["America/Edmonton", "America/Inuvik"],
    "NU Nunavut": ["America/Iqaluit", "America/Rankin_Inlet", "America/Cambridge_Bay"],
    "ON Ontario": ["America/Toronto", "America/Winnipeg"],
    "PE Prince Edward Island": ["America/Halifax"],
    "QC Quebec": ["America/Toronto", "America/Blanc-Sablon", "America/Halifax"],
    "SK Saskatchewan": ["America/Regina", "America/Edmonton"],
    "YT Yukon": ["America/Whitehorse"],
}
_AU = {
    "ACT Australian Capital Territory": ["Australia/Sydney"],
    "NSW New South Wales": ["Australia/Sydney", "Australia/Broken_Hill", "Australia/Lord_Howe"],
    "NT Northern Territory": ["Australia/Darwin"],
    "QLD Queensland": ["Australia/Brisbane"],
    "SA South Australia": ["Australia/Adelaide"],
    "TAS Tasmania": ["Australia/Hobart"],
    "VIC Victoria": ["Australia/Melbourne"],
    "WA Western Australia": ["Australia/Perth", "Australia/Eucla"],
}
_BR = {
    "AC Acre": ["America/Rio_Branco"],
    "AL Alagoas": ["America/Maceio"],
    "AP Amapá": ["America/Belem"],
    "AM Amazonas": ["America/Manaus", "America/Eirunepe"],
    "BA Bahia": ["America/Bahia"],
    "CE Ceará": ["America/Fortaleza"],
    "DF Distrito Federal": ["America/Sao_Paulo"],
    "ES Espírito Santo": ["America/Sao_Paulo"],
    "GO Goiás": ["America/Sao_Paulo"],
    "MA Maranhão": ["America/Fortaleza"],
    "MT Mato Grosso": ["America/Cuiaba"],
    "MS Mato Grosso do Sul": ["America/Campo_Grande"],
    "MG Minas Gerais": ["America/Sao_Paulo"],
    "PA Pará": ["America/Belem", "America/Santarem"],
    "PB Paraíba": ["America/Fortaleza"],
    "PR Paraná": ["America/Sao_Paulo"],
    "PE Pernambuco": ["America/Recife", "America/Noronha"],
    "PI Piauí": ["America/Fortaleza"],
    "RJ Rio de Janeiro": ["America/Sao_Paulo"],
    "RN Rio Grande do Norte": ["America/Fortaleza"],
    "RS Rio Grande do Sul": ["America/Sao_Paulo"],
    "RO Rondônia": ["America/Porto_Velho"],
    "RR Roraima": ["America/Boa_Vista"],
    "SC Santa Catarina": ["America/Sao_Paulo"],
    "SP São Paulo": ["America/Sao_Paulo"],
    "SE Sergipe": ["America/Maceio"],
    "TO Tocantins": ["America/Araguaina"],
}
_CENTRAL_MX = ["America/Mexico_City"]
_MX = {
    "AGU Aguascalientes": _CENTRAL_MX,
    "BCN Baja California": ["America/Tijuana"],
    "BCS Baja California Sur": ["America/Mazatlan"],
    "CAM Campeche": ["America/Merida"],
    "CHP Chiapas": _CENTRAL_MX,
    "CHH Chihuahua": ["America/Chihuahua", "America/Ciudad_Juarez", "America/Ojinaga"],
    "CMX Ciudad de México": _CENTRAL_MX,
    "COA Coahuila": ["America/Monterrey", "America/Matamoros"],
    "COL Colima": _CENTRAL_MX,
    "DUR Durango": ["America/Monterrey"],
    "GUA Guanajuato": _CENTRAL_MX,
    "GRO Guerrero": _CENTRAL_MX,
    "HID Hidalgo": _CENTRAL_MX,
    "JAL Jalisco": _CENTRAL_MX,
    "MEX Estado de México": _CENTRAL_MX,
    "MIC Michoacán": _CENTRAL_MX,
    "MOR Morelos": _CENTRAL_MX,
    "NAY Nayarit": ["America/Mazatlan", "America/Bahia_Banderas"],
    "NLE Nuevo León": ["America/Monterrey", "America/Matamoros"],
    "OAX Oaxaca": _CENTRAL_MX,
    "PUE Puebla": _CENTRAL_MX,
    "QUE Querétaro": _CENTRAL_MX,
    "ROO Quintana Roo": ["America/Cancun"],
    "SLP San Luis Potosí": _CENTRAL_MX,
    "SIN Sinaloa": ["America/Mazatlan"],
    "SON Sonora": ["America/Hermosillo"],
    "TAB Tabasco": _CENTRAL_MX,
    "TAM Tamaulipas": ["America/Monterrey", "America/Matamoros"],
    "TLA Tlaxcala": _CENTRAL_MX,
    "VER Veracruz": _CENTRAL_MX,
    "YUC Yucatán": ["America/Merida"],
    "ZAC Zacatecas": _CENTRAL_MX,
}


def fold(region: str | None) -> str:
    """Return the name or code of a region without case, accents, dots and extra spaces, for comparisons."""
    letters = unicodedata.normalize("NFKD", (region or "").replace(".", "").casefold())
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())


#: The zones by country code and by folded code or name of the region; the most populous zone is first.
ZONES: dict[tuple[str, str], tuple[str, ...]] = {
    (country, fold(key)): tuple(zones)
    for country, regions in {"US": _US, "CA": _CA, "AU": _AU, "BR": _BR, "MX": _MX}.items()
    for region, zones in regions.items()
    for key in region.split(" ", 1)
}
