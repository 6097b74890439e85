from app.domain.survey.survey_templates.texts import Bands, Choice, LanguageTexts, Wording

DUTCH = LanguageTexts(
    labels={
        "nps": ("Zeer onwaarschijnlijk", "Zeer waarschijnlijk"),
        "csat": ("Zeer ontevreden", "Zeer tevreden"),
        "ces": ("Helemaal mee oneens", "Helemaal mee eens"),
        "stars": ("Slecht", "Uitstekend"),
    },
    thank_you=Bands(
        "Hartelijk dank! Fijn om te horen dat we iets goed doen.",
        "Hartelijk dank! We lezen elk antwoord, en met dat van u worden we beter.",
        "Dank u voor uw eerlijkheid. Het spijt ons dat we u hebben teleurgesteld. We gaan ermee aan de slag.",
    ),
    choices={
        "areas": Choice(
            "Wat heeft uw cijfer het meest bepaald?",
            {
                "product": "Het product zelf",
                "price": "De prijs",
                "ordering": "Bestellen en betalen",
                "delivery": "De levering",
                "service": "De mensen met wie ik te maken had",
                "other": "Iets anders",
            },
        ),
        "solved": Choice(
            "Is uw vraag beantwoord?",
            {"yes": "Ja, helemaal", "partly": "Gedeeltelijk", "no": "Nee"},
        ),
    },
    wordings={
        "nps_relationship": Wording(
            "Hoe waarschijnlijk is het dat u {brand|ons} aanbeveelt bij een vriend of collega?",
            Bands(
                "Wat vindt u het beste aan ons?",
                "Wat moeten we beter doen voor een 10?",
                "Wat ging er mis, en wat moeten we als eerste veranderen?",
            ),
        ),
        "after_purchase": Wording(
            "Als u aan uw laatste bestelling denkt: hoe waarschijnlijk is het dat u {brand|ons} aanbeveelt?",
            Bands(
                "Wat vond u goed aan uw bestelling?",
                "Wat had er beter gekund aan uw bestelling?",
                "Wat ging er mis met uw bestelling?",
            ),
        ),
        "after_support": Wording(
            "Hoe tevreden bent u over de hulp die u van {brand|ons} kreeg?",
            Bands(
                "Wat hebben we goed gedaan?",
                "Wat had er een goede ervaring van gemaakt?",
                "Wat hadden we anders moeten doen?",
            ),
        ),
        "onboarding": Wording(
            "Na uw eerste weken met {brand|ons}: hoe waarschijnlijk is het dat u ons aanbeveelt?",
            Bands(
                "Wat heeft u het meest geholpen bij de start?",
                "Wat had de start makkelijker gemaakt?",
                "Waar liep u vast?",
            ),
        ),
        "csat": Wording(
            "Hoe tevreden bent u alles bij elkaar over {brand|ons}?",
            Bands(
                "Waar bent u het meest tevreden over?",
                "Wat ontbreekt er nog om tevreden te zijn?",
                "Waar bent u ontevreden over?",
            ),
        ),
        "ces": Wording(
            "{brand|Het bedrijf} maakte het mij makkelijk om te doen wat ik wilde.",
            Bands(
                "Wat maakte het makkelijk?",
                "Wat had er makkelijker gekund?",
                "Wat maakte het moeilijk?",
            ),
        ),
        "five_stars": Wording(
            "Hoe beoordeelt u uw ervaring met {brand|ons}?",
            Bands(
                "Wat was er zo goed?",
                "Wat ontbrak er voor vijf sterren?",
                "Wat moeten we beter doen?",
            ),
        ),
        "thumbs": Wording(
            "Had u hier iets aan?",
            Bands(
                "Wat heeft u geholpen?",
                "Wat miste u?",
                "Waar was u naar op zoek?",
            ),
        ),
        "employee_nps": Wording(
            "Hoe waarschijnlijk is het dat u {brand|ons} aanbeveelt als werkgever?",
            Bands(
                "Wat waardeert u het meest aan het werken hier?",
                "Wat is er nodig om ons als werkgever aan te bevelen?",
                "Wat moet er veranderen om hier met plezier te werken?",
            ),
            Bands(
                "Hartelijk dank! Met uw antwoord houden we vast wat goed is.",
                "Hartelijk dank! Met uw antwoord wordt het hier beter werken.",
                "Dank u voor uw openheid. Met antwoorden zoals die van u begint verandering.",
            ),
        ),
        "wow": Wording(
            "Hoe waarschijnlijk is het dat u {brand|ons} aanbeveelt bij een vriend of collega?",
            Bands(
                "Waarmee hebben we u de laatste keer echt verrast?",
                "Waarmee zouden we u echt kunnen verrassen?",
                "Kleine verbeteringen daargelaten: waarmee winnen we u terug?",
            ),
        ),
    },
)
