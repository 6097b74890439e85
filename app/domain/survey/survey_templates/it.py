from app.domain.survey.survey_templates.texts import Bands, Choice, LanguageTexts, Wording

ITALIAN = LanguageTexts(
    labels={
        "nps": ("Per nulla probabile", "Estremamente probabile"),
        "csat": ("Per nulla soddisfatto", "Molto soddisfatto"),
        "ces": ("Per nulla d’accordo", "Pienamente d’accordo"),
        "stars": ("Pessima", "Ottima"),
    },
    thank_you=Bands(
        "Grazie! Ci fa piacere sapere che qualcosa lo facciamo bene.",
        "Grazie! Leggiamo tutte le risposte e la Sua ci aiuta a migliorare.",
        "Grazie per la franchezza. Ci dispiace averLa delusa: ce ne occuperemo.",
    ),
    choices={
        "areas": Choice(
            "Che cosa ha inciso di più sul Suo voto?",
            {
                "product": "Il prodotto in sé",
                "price": "Il prezzo",
                "ordering": "L’ordine e il pagamento",
                "delivery": "La consegna",
                "service": "Le persone con cui ho avuto a che fare",
                "other": "Altro",
            },
        ),
        "solved": Choice(
            "La Sua richiesta è stata risolta?",
            {"yes": "Sì, del tutto", "partly": "In parte", "no": "No"},
        ),
    },
    wordings={
        "nps_relationship": Wording(
            "Con quale probabilità consiglierebbe {brand|la nostra azienda} a un amico o a un collega?",
            Bands(
                "Che cosa apprezza di più di noi?",
                "Che cosa dovremmo migliorare per meritare un 10?",
                "Che cosa è andato storto, e che cosa dovremmo cambiare per prima cosa?",
            ),
        ),
        "after_purchase": Wording(
            "Pensando al Suo ultimo ordine, con quale probabilità ci consiglierebbe a un amico?",
            Bands(
                "Che cosa Le è piaciuto del Suo ordine?",
                "Che cosa poteva andare meglio nel Suo ordine?",
                "Che cosa è andato storto con il Suo ordine?",
            ),
        ),
        "after_support": Wording(
            "Quanto è soddisfatto dell’aiuto ricevuto da {brand|noi}?",
            Bands(
                "Che cosa abbiamo fatto bene?",
                "Che cosa avrebbe reso l’esperienza davvero buona?",
                "Che cosa avremmo dovuto fare diversamente?",
            ),
        ),
        "onboarding": Wording(
            "Dopo le prime settimane con {brand|noi}, con quale probabilità ci consiglierebbe?",
            Bands(
                "Che cosa L’ha aiutata di più all’inizio?",
                "Che cosa avrebbe reso più facile iniziare?",
                "In quale punto ha incontrato difficoltà?",
            ),
        ),
        "csat": Wording(
            "Nel complesso, quanto è soddisfatto di {brand|noi}?",
            Bands(
                "Di che cosa è più soddisfatto?",
                "Che cosa manca perché sia soddisfatto?",
                "Di che cosa non è soddisfatto?",
            ),
        ),
        "ces": Wording(
            "{brand|L’azienda} mi ha reso facile fare ciò che volevo.",
            Bands(
                "Che cosa l’ha reso facile?",
                "Che cosa poteva essere più semplice?",
                "Che cosa l’ha reso difficile?",
            ),
        ),
        "five_stars": Wording(
            "Come valuta la Sua esperienza con {brand|noi}?",
            Bands(
                "Che cosa l’ha resa così buona?",
                "Che cosa è mancato per arrivare a cinque stelle?",
                "Che cosa dovremmo fare meglio?",
            ),
        ),
        "thumbs": Wording(
            "Le è stato utile?",
            Bands(
                "Che cosa L’ha aiutata?",
                "Che cosa Le è mancato?",
                "Che cosa stava cercando?",
            ),
        ),
        "employee_nps": Wording(
            "Con quale probabilità consiglierebbe {brand|la nostra azienda} come posto di lavoro?",
            Bands(
                "Che cosa apprezza di più del lavorare qui?",
                "Che cosa servirebbe perché ci consigliasse come posto di lavoro?",
                "Che cosa dovrebbe cambiare perché lavorasse qui volentieri?",
            ),
            Bands(
                "Grazie! La Sua risposta aiuta a conservare ciò che funziona.",
                "Grazie! La Sua risposta aiuta a rendere questo un posto di lavoro migliore.",
                "Grazie per la franchezza. È da risposte come la Sua che nascono i cambiamenti.",
            ),
        ),
        "wow": Wording(
            "Con quale probabilità consiglierebbe {brand|la nostra azienda} a un amico o a un collega?",
            Bands(
                "Qual è l’ultima cosa con cui L’abbiamo davvero stupita?",
                "Che cosa potremmo fare per stupirLa davvero?",
                "Piccoli ritocchi a parte, che cosa potrebbe farLe cambiare idea su di noi?",
            ),
        ),
    },
)
